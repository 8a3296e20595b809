//! Handing one mail over to a mail server by SMTP, in two halves: everything up to the server's “go ahead” ([`Mailer::open`]),
//! after which the mail has not been sent and may be tried again; and the message itself ([`Open::send`]), after which the
//! server has it, or has not, or nobody knows because the connection broke before the answer.
//!
//! Connections are encrypted: `smtps://` from the first byte, `smtp://` by STARTTLS, which is demanded and not merely used
//! when offered. Only a server on this very machine may be spoken to in the open, and not where an authority of one's own is
//! named for its certificate.
//!
//! lettre's own log is switched off at build time: it would write whole messages, and they hold links with tokens.

use core::net::IpAddr;
use core::time::Duration;

use chrono::{DateTime, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;

/// How long the server may take for each step before the message.
const EACH_STEP: Duration = Duration::from_secs(20);
/// How long the server may take to answer the message. RFC 5321, 4.5.3.2.6, asks for ten minutes; a job has two.
const ANSWER: Duration = Duration::from_mins(1);

/// What stops a mail from being handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server does not have it; another attempt may help.
    #[error("{0}")]
    TryAgain(String),
    /// The server does not have it, and says that it never takes it.
    #[error("{0}")]
    Refused(String),
    /// The message was sent and no answer came: nobody knows whether the server has it.
    #[error("{0}")]
    Unknown(String),
}

/// A mail server, and who mail is from.
#[derive(Debug, Clone)]
pub struct Mailer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Login>,
    from: Mailbox,
    /// An authority that is trusted beside those of the web.
    authority: Option<Certificate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// Encrypted from the first byte.
    Tls,
    /// Encrypted by STARTTLS.
    StartTls,
    /// In the open, on this machine only.
    None,
}

#[derive(Debug, Clone)]
struct Login {
    user: String,
    password: SecretString,
}

/// A mail as it is handed over.
pub struct Letter<'a> {
    /// Made into the message's id, so that a receiver knows a mail that comes twice.
    pub id: Uuid,
    /// To whom.
    pub to: &'a str,
    /// Subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a SecretString,
    /// When it is sent.
    pub at: DateTime<Utc>,
    /// Files that go along.
    pub attachments: Vec<Attachment>,
    /// Where its reader asks for no more of it, by one POST: RFC 8058.
    pub unsubscribe: Option<&'a SecretString>,
}

impl<'a> Letter<'a> {
    /// One that is text alone.
    pub const fn plain(id: Uuid, to: &'a str, subject: &'a str, text: &'a SecretString, at: DateTime<Utc>) -> Self {
        Self { id, to, subject, text, at, attachments: Vec::new(), unsubscribe: None }
    }
}

/// A file that goes along with a mail.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its name for people.
    pub name: String,
    /// Media type.
    pub kind: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Mailer {
    /// Reads `smtps://user:pass@host:465` or `smtp://user:pass@host:587`, and who mail is from: `RTV <rtv@example.com>`.
    /// The refusal never repeats the address, which holds a password.
    pub fn parse(address: &SecretString, from: &str) -> Result<Self, String> {
        let shape = || "it must look like smtps://user:pass@mail.example.com:465".to_owned();
        let url = Url::parse(address.expose_secret()).map_err(|_| shape())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(shape)?.to_owned();
        let is_here = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let (security, usual) = match url.scheme() {
            "smtps" => (Security::Tls, 465),
            "smtp" if is_here => (Security::None, 25),
            "smtp" => (Security::StartTls, 587),
            _ => return Err(shape()),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, password) => Some(Login {
                user: decoded(user)?,
                password: SecretString::from(decoded(password.unwrap_or_default())?),
            }),
        };
        let from = from
            .parse::<Mailbox>()
            .map_err(|_| "the sender must look like RTV <rtv@example.com>; set RTV_MAIL_FROM".to_owned())?;
        Ok(Self { host, port: url.port().unwrap_or(usual), security, credentials, from, authority: None })
    }

    /// The same, trusting one authority more, in PEM. Then a server on this machine is spoken to encrypted too.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, String> {
        let refused = || "it must hold a certificate in PEM, from “-----BEGIN CERTIFICATE-----” on".to_owned();
        // What holds no certificate would be taken for an empty list of them.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(refused());
        }
        let authority = Some(Certificate::from_pem(pem).map_err(|_| refused())?);
        let security = if self.security == Security::None { Security::StartTls } else { self.security };
        Ok(Self { security, authority, ..self })
    }

    /// Talks to the server up to the point where it waits for the message. Nothing has been sent then.
    pub async fn open(&self, letter: &Letter<'_>) -> Result<Open, MailError> {
        let message = self.message(letter)?;
        let envelope = message.envelope().clone();
        let connection = within(EACH_STEP * 3, self.connect()).await?;
        let connection = within(EACH_STEP * 3, announce(connection, &envelope)).await?;
        Ok(Open { connection, message: message.formatted() })
    }

    fn message(&self, letter: &Letter<'_>) -> Result<Message, MailError> {
        let refused = |what: &str| MailError::Refused(format!("the mail cannot be written: {what}"));
        let to = letter.to.parse().map_err(|_| refused("the recipient is no address that mail can go to"))?;
        // Nobody's absence note should answer it, RFC 3834.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject)
            .date(letter.at.into())
            .message_id(Some(format!("<{}@{}>", letter.id.simple(), self.from.email.domain())))
            .raw_header(automatic);
        if let Some(address) = letter.unsubscribe {
            let header =
                |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
            message = message
                .raw_header(header("List-Unsubscribe", format!("<{}>", address.expose_secret())))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let text = letter.text.expose_secret().to_owned();
        let built = if letter.attachments.is_empty() {
            message.header(ContentType::TEXT_PLAIN).body(text)
        } else {
            let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(text));
            for file in &letter.attachments {
                let kind = ContentType::parse(file.kind).map_err(|_| refused("a file has no kind"))?;
                parts = parts
                    .singlepart(lettre::message::Attachment::new(file.name.clone()).body(file.bytes.clone(), kind));
            }
            message.multipart(parts)
        };
        built.map_err(|_| refused("its parts do not make a message"))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailError> {
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let tls = || {
            let mut parameters = TlsParameters::builder(self.host.clone());
            if let Some(authority) = &self.authority {
                parameters = parameters.add_root_certificate(authority.clone());
            }
            parameters.build().map_err(|error| MailError::TryAgain(format!("encryption cannot be set up: {error}")))
        };
        let implicit = if self.security == Security::Tls { Some(tls()?) } else { None };
        let server = (self.host.trim_matches(['[', ']']), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(EACH_STEP), &hello, implicit, None)
            .await
            .map_err(|error| before(&error))?;
        if self.security == Security::StartTls {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(MailError::TryAgain(
                    "the mail server offers no encryption; mail is never sent in the open to another machine".into(),
                ));
            }
            connection.starttls(tls()?, &hello).await.map_err(|error| before(&error))?;
        }
        if let Some(login) = &self.credentials {
            let credentials = Credentials::new(login.user.clone(), login.password.expose_secret().to_owned());
            let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            // Wrong credentials are our operator's to correct: the mail waits for that.
            answer.map_err(|error| MailError::TryAgain(format!("the mail server does not let us in: {error}")))?;
        }
        Ok(connection)
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        let [Some(high), Some(low)] = digits else { return Err("a % in it is not followed by two digits".into()) };
        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    String::from_utf8(bytes).map_err(|_| "user and password must be UTF-8".into())
}

/// Names sender and recipient, and asks to begin.
async fn announce(mut connection: AsyncSmtpConnection, envelope: &Envelope) -> Result<AsyncSmtpConnection, MailError> {
    let steps = async {
        connection.command(Mail::new(envelope.from().cloned(), Vec::new())).await?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        connection.command(Data).await
    };
    match steps.await {
        Ok(_) => Ok(connection),
        Err(error) => {
            connection.abort().await;
            Err(before(&error))
        }
    }
}

/// A failure before the message: the server does not have it.
fn before(error: &lettre::transport::smtp::Error) -> MailError {
    let reason = words(error);
    if error.is_permanent() { MailError::Refused(reason) } else { MailError::TryAgain(reason) }
}

/// The failure and its causes; none of them holds anything of the mail.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = core::error::Error::source(error);
    while let Some(one) = cause {
        let more = one.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = one.source();
    }
    text
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, MailError>>) -> Result<T, MailError> {
    timeout(time, work)
        .await
        .unwrap_or_else(|_| Err(MailError::TryAgain("the mail server did not answer in time".into())))
}

/// A server that waits for the message.
pub struct Open {
    connection: AsyncSmtpConnection,
    message: Vec<u8>,
}

impl Open {
    /// Sends the message and waits for the answer.
    pub async fn send(mut self) -> Result<(), MailError> {
        match timeout(ANSWER, self.connection.message(&self.message)).await {
            Ok(Ok(_)) => {
                // The mail is handed over; whether the goodbye is heard does not matter.
                let _ = timeout(Duration::from_secs(2), self.connection.quit()).await;
                Ok(())
            }
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Refused(words(&error))),
            Ok(Err(error)) if error.is_transient() => Err(MailError::TryAgain(words(&error))),
            Ok(Err(error)) => Err(MailError::Unknown(words(&error))),
            Err(_) => Err(MailError::Unknown("the mail server did not answer the message in time".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<Mailer, String> {
        Mailer::parse(&SecretString::from(address.to_owned()), "RTV <rtv@example.com>")
    }

    #[test]
    fn addresses_of_mail_servers_are_read() {
        let check = |address: &str, host: &str, port: u16, security: Security, user: Option<(&str, &str)>| {
            let mailer = parse(address).unwrap();
            let login = mailer.credentials.map(|login| (login.user, login.password.expose_secret().to_owned()));
            let expect = user.map(|(user, password)| (user.to_owned(), password.to_owned()));
            assert_eq!((mailer.host.as_str(), mailer.port, mailer.security, login), (host, port, security, expect));
        };
        check("smtps://u:p@mail.example.com", "mail.example.com", 465, Security::Tls, Some(("u", "p")));
        check("smtp://mail.example.com", "mail.example.com", 587, Security::StartTls, None);
        check(
            "smtp://u%40e.com:p%2Fw@mail.example.com:2525",
            "mail.example.com",
            2525,
            Security::StartTls,
            Some(("u@e.com", "p/w")),
        );
        check("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Security::None, None);
        check("smtp://localhost", "localhost", 25, Security::None, None);
        check("smtp://[::1]:1025", "[::1]", 1025, Security::None, None);
    }

    #[test]
    fn with_an_authority_of_ones_own_nothing_is_said_in_the_open() {
        let here = || parse("smtp://127.0.0.1:1025").unwrap();
        for wrong in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"] {
            assert!(here().trusting(wrong.as_bytes()).unwrap_err().contains("PEM"), "{wrong:?}");
        }
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(here().trusting(pem.as_bytes()).unwrap().security, Security::StartTls);
        let smtps = parse("smtps://mail.example.com").unwrap().trusting(pem.as_bytes()).unwrap();
        assert_eq!(smtps.security, Security::Tls);
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_its_password() {
        for wrong in [
            "",
            "mail.example.com",
            "http://u:geheim@mail.example.com",
            "smtp://",
            "smtps://u:geheim%2@mail.example.com",
        ] {
            let refusal = parse(wrong).unwrap_err();
            assert!(!refusal.contains("geheim"), "{refusal}");
        }
        let address = SecretString::from("smtps://mail.example.com");
        assert!(Mailer::parse(&address, "nobody").unwrap_err().contains("RTV_MAIL_FROM"));
        assert!(!format!("{:?}", parse("smtps://u:geheim@mail.example.com").unwrap()).contains("geheim"));
    }
}
