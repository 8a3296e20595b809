//! What a connection is made ready for: finding out who asks, and halting. On a machine that is busy with sending, planning these two
//! statements took longer than all the rest of a halt (150 of 250 ms), and a connection that has planned them keeps the plans.

use chrono::DateTime;
use sqlx::PgConnection;

use crate::kill_switch::Flip;
use crate::session::{self, SessionHash};
use crate::transaction::begin_to_rehearse;

/// Plans them by running them for nobody. A database that does not have the tables yet is told of elsewhere.
pub(crate) async fn make(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut tx = begin_to_rehearse(connection).await?;
    if let Err(error) = rehearse(&mut tx).await {
        tracing::debug!(%error, "a connection was not made ready");
    }
    tx.rollback().await
}

async fn rehearse(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    session::stored(connection, SessionHash::of(b"nobody"), DateTime::default()).await?;
    Flip::rehearse(connection).await
}
