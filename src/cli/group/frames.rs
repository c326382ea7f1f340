//! Frames of the control socket: four bytes of length and a JSON object.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest request, in bytes: 64 KiB of body, certificate, grant and signature in hex.
pub(super) const MAX_REQUEST: usize = 256 << 10;
/// The longest answer.
pub(super) const MAX_ANSWER: usize = 8 << 20;

/// Reads a frame; `None` at the end.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<Option<Value>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => drop(other?),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame).await?;
    serde_json::from_slice(&frame).map(Some).map_err(io::Error::from)
}

/// Writes a frame.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), value: &Value) -> io::Result<()> {
    let text = value.to_string();
    let length = u32::try_from(text.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let frame = [&length.to_be_bytes()[..], text.as_bytes()].concat();
    to.write_all(&frame).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn frames_are_read_as_written_and_long_or_cut_ones_are_errors() {
        let mut bytes = Vec::new();
        write(&mut bytes, &json!({ "a": 1 })).await.unwrap();
        write(&mut bytes, &json!({ "b": "ü" })).await.unwrap();
        let mut rest = &bytes[..];
        assert_eq!(read(&mut rest, 100).await.unwrap(), Some(json!({ "a": 1 })));
        assert_eq!(read(&mut rest, 100).await.unwrap(), Some(json!({ "b": "ü" })));
        assert_eq!(read(&mut rest, 100).await.unwrap(), None);
        assert!(read(&mut &bytes[..], 5).await.is_err());
        assert!(read(&mut &bytes[..7], 100).await.is_err());
        assert!(read(&mut &b"\0\0\0\x01x"[..], 100).await.is_err());
    }
}
