//! What faults do to a command that was typed.

use std::time::Duration;

use super::{Gone, Terminal};
use crate::devices::Fault;

impl Terminal {
    /// Does to a command what faults do to it. True: that was all, and its output was printed.
    pub(crate) async fn struck(&mut self, line: &str) -> Result<bool, Gone> {
        match self.shared.fault(|fault| fault.strikes(line).then(|| fault.clone())) {
            Some(Fault::DropsDuring(_)) => {
                self.flush().await?;
                self.doomed = true;
                Ok(false)
            }
            Some(Fault::HangsDuring(_)) => self.forever().await,
            Some(Fault::Floods { bytes, .. }) => {
                self.flood(bytes).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Says nothing more, whatever is typed.
    pub(crate) async fn forever(&mut self) -> Result<bool, Gone> {
        self.flush().await?;
        loop {
            self.receive().await?;
            self.typed.clear();
        }
    }

    async fn flood(&mut self, bytes: u64) -> Result<(), Gone> {
        let mut left = bytes;
        let mut number = 0_u64;
        while left > 0 {
            let mut piece = String::with_capacity(17 << 10);
            while piece.len() < 16 << 10 {
                number += 1;
                piece.push_str(&format!(
                    "{number:>12}: *Mar  1 00:00:00.000: %SYS-7-DEBUG: a line among very many of them\r\n"
                ));
            }
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX).min(piece.len()));
            left -= piece.len() as u64;
            self.put(&piece);
            if self.pause(Duration::ZERO).await? {
                break;
            }
        }
        self.put("\r\n");
        Ok(())
    }
}
