//! A broker of our own, for what a good one does not do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use rumqttc::Packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A broker that does with each connection what it is told.
pub struct Rogue {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

/// One connection to it.
pub struct Peer {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Rogue {
    pub async fn start<F: Future<Output = ()> + Send + 'static>(
        serve: impl Fn(Peer) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(Peer { stream, buffer: BytesMut::new() }));
            }
        });
        Self { address, connections, task: task.abort_handle() }
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What begins a connection without a session.
pub const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

impl Peer {
    /// The next packet of the client. None: it is gone, or speaks MQTT 5.
    pub async fn packet(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.buffer, 1 << 20) {
                Ok(packet) => return Some(packet),
                Err(rumqttc::Error::InsufficientBytes(_)) => {}
                Err(_) => return None,
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Something of the client, whatever version it speaks.
    pub async fn bytes(&mut self) -> usize {
        self.said().await.len()
    }

    /// The same as it came.
    pub async fn said(&mut self) -> &[u8] {
        self.buffer.clear();
        let _ = self.stream.read_buf(&mut self.buffer).await;
        &self.buffer
    }

    pub async fn say(&mut self, bytes: &[u8]) {
        // A client that is gone hears nothing.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Takes the client's CONNECT, and welcomes it.
    pub async fn welcome(&mut self) {
        let _ = self.packet().await;
        self.say(&CONNACK).await;
    }

    /// Answers as a good broker would: pings, subscriptions with this code, publications.
    pub async fn answers(&mut self, packet: Packet, suback: u8) {
        match packet {
            Packet::Subscribe(asked) => {
                let [high, low] = asked.pkid.to_be_bytes();
                self.say(&[0x90, 3, high, low, suback]).await;
            }
            Packet::Unsubscribe(asked) => {
                let [high, low] = asked.pkid.to_be_bytes();
                self.say(&[0xb0, 2, high, low]).await;
            }
            Packet::Publish(message) if message.pkid != 0 => {
                let [high, low] = message.pkid.to_be_bytes();
                self.say(&[0x40, 2, high, low]).await;
            }
            Packet::PingReq => self.say(&[0xd0, 0]).await,
            _ => {}
        }
    }

    /// Until the client goes.
    pub async fn serve(&mut self, suback: u8) {
        while let Some(packet) = self.packet().await {
            self.answers(packet, suback).await;
        }
    }

    /// Waits for the client to go.
    pub async fn ignore(&mut self) {
        while self.packet().await.is_some() {}
    }
}

/// A message with QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30];
    let mut length = 2 + topic.len() + payload.len();
    loop {
        let more = if length >= 128 { 0x80 } else { 0 };
        packet.push(u8::try_from(length % 128).unwrap() | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(&u16::try_from(topic.len()).unwrap().to_be_bytes());
    packet.extend_from_slice(topic.as_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// A message with QoS 1.
pub fn publish_surely(topic: &str, payload: &[u8], packet: u8, again: bool) -> Vec<u8> {
    let length = u8::try_from(4 + topic.len() + payload.len()).unwrap();
    let mut bytes = vec![if again { 0x3a } else { 0x32 }, length];
    bytes.extend_from_slice(&u16::try_from(topic.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(topic.as_bytes());
    bytes.extend_from_slice(&[0, packet]);
    bytes.extend_from_slice(payload);
    bytes
}
