//! What a column can be imported as, and the names by which exports call it.
//!
//! The names are those of English exports and of the other languages in which the networks' own pages export: German, French, Spanish,
//! Portuguese, Italian and Dutch. A name is only listed where it means one thing; Dutch "reacties" (comments here, reactions there) is not.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::mapping::Metric;

/// What a column can be imported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Field {
    /// Which network the post is on.
    Platform,
    /// The account's id on its platform.
    AccountId,
    /// The account's name.
    AccountName,
    /// The post's id on its platform.
    PostId,
    /// When it was published, as date or as date and time.
    PublishedAt,
    /// The time of day, where it stands in a column of its own.
    PublishedTime,
    /// The kind of post.
    Kind,
    /// The post's text.
    Text,
    /// The campaign's name.
    Campaign,
    /// A figure.
    Metric(Metric),
}

impl Field {
    /// All of them, in the order of a form.
    pub fn all() -> Vec<Self> {
        let mut fields = vec![
            Self::PublishedAt,
            Self::PublishedTime,
            Self::PostId,
            Self::Platform,
            Self::AccountId,
            Self::AccountName,
            Self::Kind,
            Self::Text,
            Self::Campaign,
        ];
        fields.extend(Metric::ALL.map(Self::Metric));
        fields
    }

    /// The value of a form field; for most the column of RTV's own export.
    pub fn key(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::AccountId => "account_id",
            Self::AccountName => "account_name",
            Self::PostId => "post_id",
            Self::PublishedAt => "published_at",
            Self::PublishedTime => "published_time",
            Self::Kind => "kind",
            Self::Text => "text",
            Self::Campaign => "campaign",
            Self::Metric(metric) => metric.key(),
        }
    }

    /// The words to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::Platform => "Platform",
            Self::AccountId => "Account id",
            Self::AccountName => "Account name",
            Self::PostId => "Post id",
            Self::PublishedAt => "Published at",
            Self::PublishedTime => "Time of day",
            Self::Kind => "Kind of post",
            Self::Text => "Text",
            Self::Campaign => "Campaign",
            Self::Metric(metric) => metric.label(),
        }
    }

    /// What belongs there, in one sentence.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Platform => "The network of each post, such as Facebook or X.",
            Self::AccountId => "The account's id on its network; its name, if the file has no ids.",
            Self::AccountName => "The name by which people know the account.",
            Self::PostId => "What tells posts apart on their network; without it a row is known again by its content.",
            Self::PublishedAt => "The date, or date and time, when the post was published.",
            Self::PublishedTime => "The time of day, if the date stands in another column.",
            Self::Kind => "The kind of post, such as photo or video.",
            Self::Text => "The post's text, stored exactly as it is.",
            Self::Campaign => "The name of the campaign that the post belongs to.",
            Self::Metric(Metric::Reach) => "People who saw the post at least once.",
            Self::Metric(Metric::Impressions) => "Times shown; newer exports call them views.",
            Self::Metric(Metric::Reactions) => "Reactions of all sorts, likes included.",
            Self::Metric(Metric::Comments) => "Comments and replies.",
            Self::Metric(Metric::Shares) => "Shares, reposts or retweets.",
            Self::Metric(Metric::Clicks) => "Clicks in the post, as the network counts them.",
            Self::Metric(Metric::Conversions) => "Conversions that are attributed to the post.",
            Self::Metric(Metric::Revenue) => "Attributed revenue in your currency.",
            Self::Metric(Metric::Cost) => "What the post cost, in your currency.",
            Self::Metric(Metric::Sentiment) => "Mean sentiment from -1 to 1.",
        }
    }

    /// The names by which exports call it, simplified as by [`simplify`], the most telling first.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        self.list_of_names().split(" | ")
    }

    /// One text for each field, because a list of six hundred lines is read by nobody.
    #[allow(clippy::too_many_lines)] // It is a table.
    fn list_of_names(self) -> &'static str {
        match self {
            Self::Platform => {
                "platform | social network | network | social media | plattform | netzwerk | soziales netzwerk | \
                 plateforme | réseau | réseau social | plataforma | red social | red | rede social | rede | \
                 piattaforma | rete sociale | social | netwerk"
            }
            Self::AccountId => {
                "account id | account external id | page id | profile id | channel id | konto id | seiten id | \
                 identifiant du compte | identifiant de la page | id de la page | id de la cuenta | id de la página | \
                 id da conta | id da página | id account | id pagina | id della pagina | pagina id"
            }
            Self::AccountName => {
                "account name | page name | profile name | account username | account | profile | page | username | \
                 handle | screen name | kontoname | seitenname | name der seite | konto | seite | nom du compte | nom \
                 de la page | compte | nombre de la cuenta | nombre de la página | cuenta | página | nome da conta | \
                 nome da página | conta | nome account | nome della pagina | nome pagina | pagina | accountnaam | \
                 paginanaam | naam van pagina"
            }
            // Where there is no id, a post's address tells it apart.
            Self::PostId => {
                "post id | tweet id | status id | message id | media id | content id | update id | external id | \
                 beitrags id | beitrag id | identifiant de la publication | id de la publication | id de la \
                 publicación | id de publicación | id da publicação | id do post | id del post | id post | bericht id \
                 | id | permalink | post link | post url | tweet permalink | permanent link | link | url | permalien \
                 | enlace permanente | link permanente"
            }
            Self::PublishedAt => {
                "published at | publish time | publish date | published | date published | publication date | posted \
                 at | posted | date posted | post date | created at | created time | created date | created | sent at \
                 | sent | date time | datetime | timestamp | date | time | status published | veröffentlicht am | \
                 veröffentlicht | veröffentlichungsdatum | zeitpunkt der veröffentlichung | veröffentlichungszeit | \
                 erstellt am | datum und uhrzeit | datum | heure de publication | date de publication | publié le | \
                 hora de publicación | fecha de publicación | publicado el | fecha | horário da publicação | data de \
                 publicação | data da publicação | publicado em | data | orario di pubblicazione | ora di \
                 pubblicazione | data di pubblicazione | pubblicato il | tijdstip van publicatie | publicatietijd | \
                 publicatiedatum | gepubliceerd op"
            }
            Self::PublishedTime => {
                "time | time of day | hour | post time | uhrzeit | zeit | heure | hora | horário | ora | orario | \
                 tijd | tijdstip"
            }
            Self::Kind => {
                "post type | content type | media type | type of post | type | kind | format | status type | \
                 beitragstyp | beitragsart | art des beitrags | inhaltstyp | typ | art | type de publication | type \
                 de contenu | tipo de publicación | tipo de contenido | tipo de publicação | tipo de conteúdo | tipo \
                 de post | tipo di post | tipo di contenuto | tipo | berichttype | type bericht | soort"
            }
            Self::Text => {
                "text | post text | tweet text | message | post message | caption | post content | content | copy | \
                 body | post | tweet | description | post title | title | beitragstext | nachricht | beschreibung | \
                 titel | texte | texte de la publication | légende | titre | texto | mensaje | descripción | título | \
                 mensagem | legenda | descrição | testo | messaggio | descrizione | didascalia | titolo | tekst | \
                 bericht | beschrijving"
            }
            Self::Campaign => {
                "campaign | campaign name | utm campaign | kampagne | kampagnenname | name der kampagne | campagne | \
                 nom de la campagne | campaña | nombre de la campaña | campanha | nome da campanha | campagna | nome \
                 della campagna | nome campagna | campagnenaam"
            }
            Self::Metric(Metric::Reach) => {
                "reach | people reached | accounts reached | unique reach | reichweite | erreichte personen | \
                 erreichte konten | couverture | portée | personnes touchées | comptes touchés | alcance | personas \
                 alcanzadas | cuentas alcanzadas | contas alcançadas | copertura | account raggiunti | persone \
                 raggiunte | bereik | bereikte accounts"
            }
            Self::Metric(Metric::Impressions) => {
                "impressions | impression | impression count | times shown | views | view count | impressionen | \
                 aufrufe | ansichten | vues | impresiones | visualizaciones | impressões | visualizações | \
                 impressioni | visualizzazioni | vertoningen | weergaven"
            }
            Self::Metric(Metric::Reactions) => {
                "reactions | reaction count | num reactions | likes | like count | like | favorites | favourites | \
                 hearts | likes and reactions | reaktionen | gefällt mir | gefällt mir angaben | réactions | j aime | \
                 mentions j aime | reacciones | me gusta | reações | curtidas | gostos | reazioni | mi piace | vind \
                 ik leuks"
            }
            Self::Metric(Metric::Comments) => {
                "comments | comment count | num comments | comment | replies | reply count | answers | kommentare | \
                 antworten | commentaires | réponses | comentarios | respuestas | comentários | respostas | commenti \
                 | risposte | opmerkingen"
            }
            Self::Metric(Metric::Shares) => {
                "reposts | retweets | shares | share count | num shares | retweet count | repost count | share | \
                 reshares | boosts | geteilte inhalte | mal geteilt | geteilt | teilungen | partages | compartidos | \
                 veces compartido | contenido compartido | compartilhamentos | partilhas | condivisioni | keer \
                 gedeeld | gedeeld"
            }
            Self::Metric(Metric::Clicks) => {
                "clicks | click count | link clicks | url clicks | klicks | linkklicks | link klicks | gesamtzahl der \
                 klicks | clics | clics sur le lien | total de clics | clics totaux | clics en el enlace | cliques | \
                 total de cliques | cliques no link | clic | clic totali | clic sul link | klikken | linkkliks"
            }
            Self::Metric(Metric::Conversions) => {
                "conversions | conversion | conversion count | attributed conversions | purchases | konversionen | \
                 conversiones | conversões | conversioni | conversies"
            }
            Self::Metric(Metric::Revenue) => {
                "revenue | attributed revenue | conversion value | purchase value | sales | umsatz | einnahmen | \
                 chiffre d affaires | revenus | ingresos | ventas | receita | faturamento | ricavi | fatturato | \
                 omzet"
            }
            Self::Metric(Metric::Cost) => {
                "cost | costs | amount spent | ad spend | spend | spent | kosten | ausgaben | ausgegebener betrag | \
                 coût | dépenses | montant dépensé | coste | costo | gasto | importe gastado | custo | valor gasto | \
                 valor usado | costi | spesa | importo speso | uitgaven | uitgegeven bedrag"
            }
            Self::Metric(Metric::Sentiment) => {
                "sentiment | sentiment score | average sentiment | mean sentiment | stimmung | sentimiento | \
                 sentimento"
            }
        }
    }
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.key()
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        key.parse()
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        Self::all().into_iter().find(|field| field.key() == key).ok_or_else(|| {
            let known: Vec<&str> = Self::all().into_iter().map(Self::key).collect();
            format!("\"{key}\" is nothing that a column can be imported as; use one of: {}", known.join(", "))
        })
    }
}

/// Columns that many exports have and that are left out on purpose, with the reason.
pub(crate) fn reason_to_leave_out(name: &str) -> Option<&'static str> {
    const RATES: [&str; 12] = [
        "engagement rate",
        "click through rate",
        "click through rate ctr",
        "ctr",
        "interaktionsrate",
        "engagement rate by reach",
        "taux d engagement",
        "tasa de interacción",
        "taxa de engajamento",
        "taxa de interação",
        "tasso di interazione",
        "interactieratio",
    ];
    const SUMS: [&str; 14] = [
        "engagements",
        "engagement",
        "total engagements",
        "interactions",
        "total interactions",
        "reactions comments and shares",
        "engaged users",
        "interaktionen",
        "reaktionen kommentare und geteilte inhalte",
        "interacciones",
        "interações",
        "interazioni",
        "interacties",
        "réactions commentaires et partages",
    ];
    let name = simplify(name);
    if RATES.contains(&&*name) {
        return Some("A ratio, which RTV computes from the figures, so that sums stay right.");
    }
    SUMS.contains(&&*name).then_some("A sum of figures that are imported one by one.")
}

/// Lower case, and one space for everything that is neither letter nor digit: `Post_ID` and `post-id` are the same name.
pub(crate) fn simplify(name: &str) -> String {
    let mut simple = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_alphanumeric() {
            simple.extend(character.to_lowercase());
        } else if !simple.is_empty() && !simple.ends_with(' ') {
            simple.push(' ');
        }
    }
    simple.truncate(simple.trim_end().len());
    simple
}

/// The key of a network by a name that people or exports use. An unknown name is its own key where it can be one: whether RTV has the network is
/// not decided here.
pub fn platform_named(name: &str) -> Option<String> {
    let simple = simplify(name);
    let key = match &*simple {
        "facebook" | "fb" | "facebook page" | "facebook pages" | "facebook seite" => "facebook",
        "instagram" | "ig" | "insta" | "instagram business" | "instagram account" => "instagram",
        "x" | "twitter" | "x twitter" | "twitter x" | "x formerly twitter" | "x com" => "x",
        "linkedin" | "linked in" | "linkedin page" | "linkedin pages" | "linkedin company page" => "linkedin",
        "bluesky" | "bsky" | "blue sky" => "bluesky",
        "mastodon" | "fediverse" => "mastodon",
        _ => {
            let key = simple.replace(' ', "-");
            return crate::read::is_platform_key(&key).then_some(key);
        }
    };
    Some(key.to_owned())
}

/// Whether a value is the name of a network beyond doubt, so that a column of them can be known by its values.
pub(crate) fn is_network(value: &str) -> bool {
    const NETWORKS: [&str; 6] = ["facebook", "instagram", "x", "linkedin", "bluesky", "mastodon"];
    platform_named(value).is_some_and(|key| NETWORKS.contains(&&*key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_field_is_known_again_by_its_key() {
        for field in Field::all() {
            assert_eq!(field.key().parse(), Ok(field));
        }
        assert!("age".parse::<Field>().unwrap_err().contains("published_at"));
    }

    #[test]
    fn a_name_means_one_field_except_time_which_its_values_decide() {
        let mut seen = BTreeMap::new();
        for field in Field::all() {
            for name in field.names() {
                assert_eq!(simplify(name), name, "the list holds simplified names");
                if let Some(other) = seen.insert(name, field) {
                    assert_eq!((name, other, field), ("time", Field::PublishedAt, Field::PublishedTime));
                }
                assert_eq!(reason_to_leave_out(name), None, "{name}");
            }
        }
    }

    #[test]
    fn names_are_compared_without_case_and_punctuation() {
        for name in ["Post ID", "post_id", " post-id ", "POST  ID:", "\u{feff}Post ID"] {
            assert_eq!(simplify(name), "post id");
        }
        assert_eq!(simplify("Veröffentlicht am"), "veröffentlicht am");
        assert_eq!(simplify("!?"), "");
    }

    #[test]
    fn networks_are_known_by_the_names_that_people_use() {
        let check = |name, expect: Option<&str>| assert_eq!(platform_named(name).as_deref(), expect, "{name}");
        check("Facebook", Some("facebook"));
        check("X (formerly Twitter)", Some("x"));
        check("TWITTER", Some("x"));
        check("Linked In", Some("linkedin"));
        check("TikTok", Some("tiktok"));
        check("You Tube", Some("you-tube"));
        check("", None);
        check("ก", None);
        assert!(is_network("IG") && !is_network("TikTok"));
    }
}
