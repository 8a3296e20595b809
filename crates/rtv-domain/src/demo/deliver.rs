//! A few posts of each organisation on their way to the sandbox network, in the states that a person meets: so that the pages of
//! content and deliveries show what they are for. Nothing of it is ever sent: the account has no token.

use chrono::{DateTime, Days, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;
use rtv_core::delivery::State;
use rtv_core::{Error, Platform, capability};
use serde_json::json;
use uuid::{Builder, Uuid};

use crate::content::{approval_sha256, text_sha256};
use crate::demo::story::Story;
use crate::transaction::{Tx, failed};

/// Where the ids of what is drawn here begin among those of an organisation.
const FIRST: u8 = 140;

/// One post on its way.
struct Planned {
    text: &'static str,
    link: Option<&'static str>,
    /// Days from today, and the hour there.
    day: i64,
    hour: u32,
    state: State,
    /// The newest of the campaigns.
    of_campaign: bool,
    /// What a reviewer wrote, or what came of it.
    words: Option<&'static str>,
}

/// The posts of every organisation; what they are about fits all of them.
const PLANNED: [Planned; 7] = [
    Planned {
        text: "Behind the scenes: who packs what you order, and what they would never leave out.",
        link: None,
        day: 6,
        hour: 10,
        state: State::Draft,
        of_campaign: false,
        words: Some("Lovely. Please name the two people in the picture, and ask them first."),
    },
    Planned {
        text: "What did you do with the first cold weekend? Tell us below; the three best answers get a parcel.",
        link: None,
        day: 4,
        hour: 17,
        state: State::InReview,
        of_campaign: false,
        words: None,
    },
    Planned {
        text: "Three things that we learned from your letters this month, and the one that we change at once.",
        link: Some("https://example.com/letters"),
        day: 3,
        hour: 9,
        state: State::Scheduled,
        of_campaign: true,
        words: None,
    },
    Planned {
        text: "Opening hours over the holidays, all shops on one page.",
        link: Some("https://example.com/hours"),
        day: -1,
        hour: 8,
        state: State::Held,
        of_campaign: false,
        words: Some("The account has no token."),
    },
    Planned {
        text: "Last call for the autumn colours: when they are gone, they are gone.",
        link: None,
        day: -2,
        hour: 18,
        state: State::Missed,
        of_campaign: true,
        words: None,
    },
    Planned {
        text: "Thank you for a thousand questions. Here are the ten that came most often.",
        link: Some("https://example.com/questions"),
        day: -3,
        hour: 12,
        state: State::NeedsPerson,
        of_campaign: false,
        words: Some("The connection broke after the request had left, and the network’s list could not be read since."),
    },
    Planned {
        text: "Free delivery until midnight!",
        link: None,
        day: -4,
        hour: 20,
        state: State::Dropped,
        of_campaign: false,
        words: None,
    },
];

/// What all of it is drawn with.
struct Drawing<'a> {
    story: &'a Story,
    account: Uuid,
    remote_id: String,
    account_name: String,
    author: String,
    reviewer: String,
}

/// Writes them into the tenant of the transaction, whose campaigns are there already.
pub(super) async fn write(
    tx: &mut Tx,
    story: &Story,
    zone: Tz,
    today: NaiveDate,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let handle = format!("{}-trial", story.slug);
    let drawing = Drawing {
        story,
        account: lasting_id(story, 0),
        remote_id: format!("sample-{handle}"),
        account_name: handle,
        author: format!("editor@{}.example", story.slug),
        reviewer: format!("admin@{}.example", story.slug),
    };
    let account = drawing.write_account(tx, now).await?;
    let drawing = Drawing { account, ..drawing };
    let newest =
        sqlx::query_scalar!("select id from campaign where is_sample order by starts_on desc nulls last, id limit 1")
            .fetch_optional(tx.connection())
            .await
            .map_err(failed)?;
    for (place, planned) in (1_u8..).zip(&PLANNED) {
        let at = |day: i64, hour: u32| -> DateTime<Utc> {
            let date = if day < 0 {
                today.checked_sub_days(Days::new(day.unsigned_abs()))
            } else {
                today.checked_add_days(Days::new(day.unsigned_abs()))
            };
            let local = date.unwrap_or(today).and_hms_opt(hour, 0, 0).unwrap_or_default();
            // A night in which clocks change has all of these hours.
            zone.from_local_datetime(&local).earliest().map_or(now, |at| at.with_timezone(&Utc))
        };
        let campaign = newest.filter(|_| planned.of_campaign);
        let times = Times {
            written: at(planned.day.min(0) - 3, 11),
            submitted: at(planned.day.min(0) - 2, 14),
            decided: at(planned.day.min(0) - 1, 15),
            scheduled: at(planned.day, planned.hour),
        };
        drawing.write_one(tx, place, planned, campaign, &times).await?;
    }
    Ok(())
}

/// When what happened to it.
struct Times {
    written: DateTime<Utc>,
    submitted: DateTime<Utc>,
    decided: DateTime<Utc>,
    scheduled: DateTime<Utc>,
}

/// An id that is the same on every run, so that a link to it lives longer than the sample.
pub(super) fn lasting_id(story: &Story, place: u8) -> Uuid {
    let mut name = [0; 10];
    name[..8].copy_from_slice(&story.seed.to_be_bytes());
    name[8] = 1;
    name[9] = FIRST.saturating_add(place);
    Builder::from_unix_timestamp_millis(super::write::LONG_AGO, &name).into_uuid()
}

/// Another one beside it: its delivery, and what belongs to that.
fn id_beside(id: Uuid, number: u8) -> Uuid {
    let mut bytes = id.into_bytes();
    bytes[14] = number;
    Uuid::from_bytes(bytes)
}

impl Drawing<'_> {
    async fn write_account(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<Uuid, Error> {
        sqlx::query_scalar!(
            r#"
            insert into account (tenant_id, id, platform, external_id, name, is_sample, created_at)
            select rtv_tenant(), $1, $2, $3, $4, true, $5
            on conflict (tenant_id, platform, external_id) do update set external_id = excluded.external_id
            returning id
            "#,
            self.account,
            Platform::Sandbox.key(),
            self.remote_id,
            self.account_name,
            now
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
    }

    async fn write_one(
        &self,
        tx: &mut Tx,
        place: u8,
        planned: &Planned,
        campaign: Option<Uuid>,
        times: &Times,
    ) -> Result<(), Error> {
        let content = lasting_id(self.story, place);
        let is_returned = planned.state == State::Draft && planned.words.is_some();
        sqlx::query!(
            r#"
            insert into content (
              tenant_id, id, campaign_id, body, link, created_at, created_by, updated_at, changed_by,
              returned_note, returned_at, returned_by, is_sample
            )
            select rtv_tenant(), $1, $2, $3, $4, $5, $6, $5, $6, $7, $8, $9, true
            on conflict do nothing
            "#,
            content,
            campaign,
            planned.text,
            planned.link,
            times.written,
            self.author,
            planned.words.filter(|_| is_returned),
            is_returned.then_some(times.decided),
            is_returned.then_some(&self.reviewer),
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        self.write_delivery(tx, content, planned, campaign, times).await?;
        if planned.state == State::NeedsPerson {
            self.write_attempt(tx, content, planned, times).await?;
        }
        self.write_history(tx, content, planned, times).await
    }

    async fn write_delivery(
        &self,
        tx: &mut Tx,
        content: Uuid,
        planned: &Planned,
        campaign: Option<Uuid>,
        times: &Times,
    ) -> Result<(), Error> {
        let state = planned.state;
        let is_approved = !matches!(state, State::Draft | State::InReview);
        let hash = approval_sha256(planned.text, planned.link, times.scheduled, Platform::Sandbox, &self.remote_id);
        let snapshot = json!({
            "text": planned.text, "link": planned.link, "scheduled_at": times.scheduled, "account": self.account_name,
            "remote_id": self.remote_id, "by": self.reviewer, "at": times.decided,
        });
        let is_out = state == State::NeedsPerson;
        let outcome = planned.words.filter(|_| is_out || state == State::Held);
        sqlx::query!(
            r#"
            insert into delivery (
              tenant_id, id, content_id, account_id, campaign_id, platform, state, scheduled_at, due_at, attempt_no, may_be_out,
              submitted_at, submitted_by, approved_version, approved_sha256, approved_remote_id, approved_at, approved_by,
              approved_snapshot, hold_reason, held_at, outcome, outcome_at, unknown_at, looks, created_at, updated_at, is_sample
            )
            select
              rtv_tenant(), $1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
              $22, $23, $24, $24, true
            on conflict do nothing
            "#,
            id_beside(content, 1),
            content,
            self.account,
            campaign,
            Platform::Sandbox.key(),
            state.key(),
            times.scheduled,
            i32::from(is_out),
            is_out,
            (state != State::Draft).then_some(times.submitted),
            (state != State::Draft).then_some(&self.author),
            is_approved.then_some(1_i64),
            is_approved.then_some(&hash[..]),
            is_approved.then_some(&self.remote_id),
            is_approved.then_some(times.decided),
            is_approved.then_some(&self.reviewer),
            is_approved.then_some(snapshot),
            (state == State::Held).then_some("token"),
            (state == State::Held).then_some(times.scheduled),
            outcome,
            outcome.map(|_| times.scheduled),
            is_out.then_some(times.scheduled),
            if is_out { 3_i16 } else { 0 },
            times.written,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        Ok(())
    }

    /// The attempt that nobody knows the outcome of.
    async fn write_attempt(&self, tx: &mut Tx, content: Uuid, planned: &Planned, times: &Times) -> Result<(), Error> {
        let sent = capability::compose(planned.text, planned.link);
        let second = |milliseconds: i64| times.scheduled + chrono::TimeDelta::milliseconds(milliseconds);
        sqlx::query!(
            r#"
            insert into attempt (
              tenant_id, delivery_id, attempt_no, account_id, platform, state, permit, sender_id, text_sha256, idempotency_key,
              switch_epoch, claimed_at, sending_at, deadline_at, first_byte_at, last_byte_at, closed_at, outcome
            )
            select rtv_tenant(), $1, 1, $2, $3, 'unknown', $4, $5, $6, $7, 1, $8, $9, $10, $11, $12, $13, $14
            on conflict do nothing
            "#,
            id_beside(content, 1),
            self.account,
            Platform::Sandbox.key(),
            id_beside(content, 2),
            id_beside(content, 3),
            &text_sha256(&sent)[..],
            format!("sample-{}", id_beside(content, 2).simple()),
            second(120),
            second(141),
            second(10_120),
            second(163),
            second(164),
            second(10_121),
            planned.words,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
        Ok(())
    }

    async fn write_history(&self, tx: &mut Tx, content: Uuid, planned: &Planned, times: &Times) -> Result<(), Error> {
        let (author, reviewer) = (self.author.as_str(), self.reviewer.as_str());
        let (draft, review) = (State::Draft, State::InReview);
        let mut lines = vec![(times.submitted, "submitted", draft, review, author, None)];
        match planned.state {
            State::Draft => lines.push((times.decided, "given back", review, draft, reviewer, planned.words)),
            State::InReview => {}
            end => {
                lines.push((times.decided, "approved", review, State::Approved, reviewer, None));
                lines.push((times.decided, "scheduled", State::Approved, State::Scheduled, reviewer, None));
                let (what, who) = match end {
                    State::Held => ("held", "rtv"),
                    State::Missed => ("missed", "rtv"),
                    State::NeedsPerson => ("given up looking", "rtv"),
                    State::Dropped => ("dropped", reviewer),
                    _ => ("", ""),
                };
                if !what.is_empty() {
                    lines.push((times.scheduled, what, State::Scheduled, end, who, planned.words));
                }
            }
        }
        for (number, (at, what, from, to, who, detail)) in (10_u8..).zip(lines) {
            sqlx::query!(
                r#"
                insert into delivery_event (tenant_id, delivery_id, id, at, what, from_state, to_state, attempt_no, who, detail)
                select rtv_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9
                on conflict do nothing
                "#,
                id_beside(content, 1),
                id_beside(content, number),
                at,
                what,
                from.key(),
                to.key(),
                i32::from(to == State::NeedsPerson),
                who,
                detail,
            )
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        }
        Ok(())
    }
}
