//! What every platform can be asked, and what its answers come to. The words for what became of a request are exact: an
//! adapter says “rejected” or “not sent” only where the platform surely has nothing.

use core::fmt;
use core::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rtv_core::capability::{self, Capability};
use rtv_core::{AccountId, Action, CampaignId, Operation, Platform, TenantId};
use rtv_outbound::gate::Permit;
use rtv_outbound::http::{Base, Client, NotSent, Sent};
use secrecy::SecretString;

use crate::sandbox::Sandbox;

/// The account that is acted for, and how the platform knows it.
#[derive(Debug, Clone)]
pub struct Addressee {
    /// Whose account.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// The platform's id of it.
    pub remote_id: String,
    /// What the platform lets us in with.
    pub token: SecretString,
}

impl Addressee {
    /// What acting for it is, as the gate sees it.
    pub const fn operation(&self, platform: Platform, action: Action, campaign: Option<CampaignId>) -> Operation {
        Operation { tenant: self.tenant, platform, action, account: self.account, campaign }
    }
}

/// What is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The text, byte for byte as it is to stand there; see [`capability::compose`] for its link.
    pub text: String,
    /// For which goal; a part of what the gate checks.
    pub campaign: Option<CampaignId>,
    /// Tells this intent from others, for platforms that refuse to post the same twice.
    pub idempotency_key: String,
}

/// What became of a post.
#[derive(Debug)]
pub enum Published {
    /// The platform has it.
    Accepted {
        /// The platform's id of the post.
        remote_id: String,
        /// Under which account it stands, as the platform says; compare it with the one that was meant.
        author_id: Option<String>,
        /// The request's bytes.
        sent: Sent,
    },
    /// The platform has it not, and says why.
    Rejected {
        /// What it minds.
        refusal: Refusal,
        /// Its status.
        status: u16,
        /// Its words.
        words: String,
        /// The request's bytes.
        sent: Sent,
    },
    /// The platform has it not, because too much was asked of it.
    Limited {
        /// How long it wants to be left alone.
        retry_after: Duration,
        /// Its words.
        words: String,
        /// The request's bytes.
        sent: Sent,
    },
    /// Not one byte left.
    NotSent(NotSent),
    /// Nobody knows whether the platform has it.
    Unknown {
        /// What happened, in words.
        why: String,
        /// Status of the answer, if one came.
        status: Option<u16>,
        /// The request's bytes.
        sent: Sent,
    },
}

/// What became of taking a post away.
#[derive(Debug)]
pub enum Deleted {
    /// It is gone, by us now or by somebody before.
    Gone {
        /// The request's bytes.
        sent: Sent,
    },
    /// It stands, and the platform says why.
    Rejected {
        /// What it minds.
        refusal: Refusal,
        /// Its status.
        status: u16,
        /// Its words.
        words: String,
        /// The request's bytes.
        sent: Sent,
    },
    /// It stands, because too much was asked of the platform.
    Limited {
        /// How long it wants to be left alone.
        retry_after: Duration,
        /// The request's bytes.
        sent: Sent,
    },
    /// Not one byte left.
    NotSent(NotSent),
    /// Nobody knows; trying again does no harm.
    Unknown {
        /// What happened, in words.
        why: String,
        /// The request's bytes.
        sent: Sent,
    },
}

/// What a platform minds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// What was posted.
    Content,
    /// It says that it has the same already. That is evidence of it, not proof.
    Duplicate,
    /// Who asks: the token is not valid, or not for this.
    Login,
}

/// How a post is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    /// The platform's id, if one is known.
    pub remote_id: Option<&'a str>,
    /// The text as it was sent.
    pub text: &'a str,
    /// Posts before that are other ones.
    pub since: DateTime<Utc>,
}

/// A post as the platform shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePost {
    /// The platform's id of it.
    pub remote_id: String,
    /// Under which account it stands.
    pub author_id: String,
    /// Its text.
    pub text: String,
    /// When it was posted, by the platform's clock.
    pub at: DateTime<Utc>,
}

/// What was found of a post.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The post with the id that was asked for, under whichever account.
    pub by_id: Option<RemotePost>,
    /// Unless it was found by its id: all posts of the account with that text since that time, the oldest first. More than one is
    /// a double.
    pub by_text: Vec<RemotePost>,
}

impl Found {
    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.by_id.is_none() && self.by_text.is_empty()
    }

    /// All that was found, each post once.
    pub fn posts(&self) -> impl Iterator<Item = &RemotePost> {
        let known = self.by_id.as_ref().map(|post| &post.remote_id);
        self.by_id.iter().chain(self.by_text.iter().filter(move |post| Some(&post.remote_id) != known))
    }
}

/// Who is behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The platform's id of the account.
    pub remote_id: String,
    /// What people call it there.
    pub handle: String,
}

/// Why nothing could be read. It says nothing about what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The token is not valid.
    Unauthorized {
        /// The platform's words.
        words: String,
    },
    /// Too much was asked of the platform.
    Limited {
        /// How long it wants to be left alone.
        retry_after: Duration,
    },
    /// The platform does not answer, or not in a way that is understood.
    Unavailable {
        /// What happened, in words.
        why: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized { words } => write!(f, "the platform does not accept the token: {words}"),
            Self::Limited { retry_after } => {
                write!(f, "the platform wants to be left alone for {} s", retry_after.as_secs())
            }
            Self::Unavailable { why } => write!(f, "the platform does not answer: {why}"),
        }
    }
}

/// One platform.
#[async_trait]
pub trait Adapter: fmt::Debug + Send + Sync {
    /// Which.
    fn platform(&self) -> Platform;

    /// What it takes, and what limits sending to it.
    fn capability(&self) -> &'static Capability {
        capability::of(self.platform())
    }

    /// Whether the platform would take the text, as far as that can be told before asking it.
    fn validate(&self, posting: &Posting) -> Result<(), String> {
        capability::validate(self.platform(), &posting.text, None, 0)
    }

    /// Posts, once. The permit must be for [`Action::Publish`] of the account and campaign.
    async fn publish(&self, permit: Permit, addressee: &Addressee, posting: &Posting) -> Published;

    /// Looks for a post: by its id where one is known, and where that finds nothing, by its text. So confirming a post costs one
    /// call, and looking for one that may not be there costs as many as its account has pages since then.
    async fn read_back(&self, addressee: &Addressee, lookup: &Lookup<'_>) -> Result<Found, ReadError>;

    /// Takes a post away. The permit must be for [`Action::Delete`] of the account, without a campaign.
    async fn delete(&self, permit: Permit, addressee: &Addressee, remote_id: &str) -> Deleted;

    /// Asks who is behind a token.
    async fn who_am_i(&self, token: &SecretString) -> Result<Profile, ReadError>;

    /// Where people see the post.
    fn address_of(&self, remote_id: &str) -> Option<String>;
}

/// The adapters of all platforms that RTV publishes to. Clones share the client and its gate.
#[derive(Debug, Clone)]
pub struct Adapters {
    client: Client,
    sandbox: Sandbox,
}

impl Adapters {
    /// Adapters that call through that client, the sandbox network at that address.
    pub fn new(client: Client, sandbox: Base) -> Self {
        Self { sandbox: Sandbox::new(client.clone(), sandbox), client }
    }

    /// The client and its gate.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The adapter of a platform; `None`: RTV does not publish there.
    pub fn of(&self, platform: Platform) -> Option<&dyn Adapter> {
        match platform {
            Platform::Sandbox => Some(&self.sandbox),
            Platform::X
            | Platform::LinkedIn
            | Platform::Instagram
            | Platform::Facebook
            | Platform::Bluesky
            | Platform::Mastodon => None,
        }
    }

    /// The sandbox network, which can also be asked for a new account.
    pub const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }
}
