//! What is said over the socket: frames of four bytes of length and so many bytes of postcard.
//!
//! Both ends are this program under the same user, and neither believes the other's lengths: a frame is bounded, and
//! what stands in it becomes the core's own types, which cannot be wrong.

use std::io;

use fleetgate_core::store::{
    Batch, Entry, Key, Listed, MAX_PAGE_BYTES, MAX_VALUE, Page, Space, StoreError, Usage,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What both ends must speak. It grows with every change of what follows.
pub(super) const PROTOCOL: u32 = 1;
/// The largest frame: a page that ends with the largest value, and its keys.
pub(super) const MAX_FRAME: usize = MAX_PAGE_BYTES + MAX_VALUE + (2 << 20);

/// The first frame of each end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
}

/// A question or an answer, by the number that the asking end gave it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Numbered<T> {
    pub(super) number: u64,
    pub(super) said: T,
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Asked {
    Get { space: Space, key: Key },
    List { space: Space, page: Page },
    Write { space: Space, batch: Batch, name: Key },
    Usage { space: Space, part: String },
    Spaces { after: Option<Space> },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Entry(Option<Entry>),
    Listed(Listed),
    Written(Vec<u64>),
    Usage(Usage),
    Spaces(Vec<Space>),
    Failed(StoreError),
}

/// Each is the answer to one question.
impl Answer {
    pub(super) fn entry(self) -> Result<Option<Entry>, StoreError> {
        if let Self::Entry(entry) = self { Ok(entry) } else { Err(self.failed()) }
    }
    pub(super) fn listed(self) -> Result<Listed, StoreError> {
        if let Self::Listed(listed) = self { Ok(listed) } else { Err(self.failed()) }
    }
    pub(super) fn written(self) -> Result<Vec<u64>, StoreError> {
        if let Self::Written(revisions) = self { Ok(revisions) } else { Err(self.failed()) }
    }
    pub(super) fn usage(self) -> Result<Usage, StoreError> {
        if let Self::Usage(usage) = self { Ok(usage) } else { Err(self.failed()) }
    }
    pub(super) fn spaces(self) -> Result<Vec<Space>, StoreError> {
        if let Self::Spaces(spaces) = self { Ok(spaces) } else { Err(self.failed()) }
    }

    fn failed(self) -> StoreError {
        match self {
            Self::Failed(error) => error,
            // Whoever answers so answers anything: what was done is not known.
            _ => StoreError::Unavailable {
                place: "the state".into(),
                reason: "the process that holds it answers something else than it was asked".into(),
                unknown: true,
            },
        }
    }
}

/// A frame, ready to be sent.
pub(super) fn frame(said: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(said, vec![0; 4]).map_err(io::Error::other)?;
    let length = bytes.len() - 4;
    if length > MAX_FRAME {
        return Err(io::Error::other("too much for one frame"));
    }
    bytes[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(bytes)
}

/// The length of the next frame. None: the other end is done.
pub(super) async fn length(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<usize>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is longer than any may be"));
    }
    Ok(Some(length))
}

/// The frame of this length.
pub(super) async fn body<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
    length: usize,
) -> io::Result<T> {
    // Grows as the bytes come, whatever was announced.
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    postcard::from_bytes(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> io::Result<Numbered<Asked>> {
        let length = length(&mut bytes).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        body(&mut bytes, length).await
    }

    #[tokio::test]
    async fn a_frame_is_read_as_it_was_sent() {
        let space = Space::new("test").expect("a name");
        let key = Key::new("k").expect("a key");
        let batch = Batch::new().put(key.clone(), vec![0, 255, 7], Some(std::time::SystemTime::now()));
        let sent = Numbered { number: 7, said: Asked::Write { space, batch, name: key } };
        let got = read(&frame(&sent).expect("a frame")).await.expect("it is whole");
        assert_eq!(format!("{got:?}"), format!("{sent:?}"));
    }

    #[tokio::test]
    async fn no_frame_is_believed() {
        let key = |text: &str| {
            // As Asked::Get would be, with names that are none.
            let mut bytes = vec![7, 0];
            for text in ["test", text] {
                bytes.push(text.len() as u8);
                bytes.extend(text.as_bytes());
            }
            let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
            frame.extend(bytes);
            frame
        };
        read(&key("k")).await.expect("this one is fine");
        for wrong in
            [key(""), key("a\0"), key("a\n"), vec![255; 4], vec![3, 0, 0, 0, 1], vec![1, 0, 0, 0, 255]]
        {
            let error = read(&wrong).await.expect_err("it is no frame").kind();
            assert!(matches!(error, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof), "{error}");
        }
        // Four gibibytes in one value, announced in a frame of ten bytes.
        let announced = [10, 0, 0, 0, 7, 2, 1, b's', 1, 1, b'k', 0, 0, 255, 255, 255, 255, 15];
        read(&announced).await.expect_err("it is not there");
    }
}
