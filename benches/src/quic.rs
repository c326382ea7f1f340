//! The same bytes through quinn: ring, AES-128-GCM, 1,452 bytes of UDP payload, GSO.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use quinn::{ClientConfig, Connection, Endpoint, EndpointConfig, ServerConfig, TokioRuntime, TransportConfig, VarInt};

use crate::measure::{Side, Task};
use crate::{BUFFER, MESSAGE, MTU};

/// Receives, or answers, until the far end has what it wants.
pub(crate) async fn serve(side: &mut Side) {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate is made");
    let certificate = CertificateDer::from(key.cert);
    let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring speaks TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], private.into())
        .expect("the certificate fits its key");
    tls.max_early_data_size = 0;
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("a suite for QUIC")));
    config.transport_config(transport());
    let endpoint = endpoint(Some(config));
    side.ready(endpoint.local_addr().expect("bound"), &certificate);
    match side.task {
        Task::Bulk(size) => {
            let connection = accept(&endpoint).await;
            let mut stream = connection.accept_uni().await.expect("a stream");
            side.begin();
            let mut got = 0;
            while let Some(chunk) = stream.read_chunk(usize::MAX, true).await.expect("bytes come") {
                got += chunk.bytes.len() as u64;
            }
            side.end();
            assert_eq!(got, size, "all of it came");
            connection.closed().await;
        }
        Task::Echo(_) => {
            let connection = accept(&endpoint).await;
            let (mut answers, mut questions) = connection.accept_bi().await.expect("a stream");
            side.begin();
            // The dialler closes when it has enough.
            while let Ok(Some(chunk)) = questions.read_chunk(usize::MAX, true).await {
                answers.write_chunk(chunk.bytes).await.expect("bytes go");
            }
            side.end();
        }
        Task::Handshakes(_) => {
            side.begin();
            while let Some(incoming) = endpoint.accept().await {
                tokio::spawn(async move {
                    if let Ok(connection) = incoming.await {
                        connection.closed().await;
                    }
                });
            }
        }
    }
}

/// Sends, or asks.
pub(crate) async fn dial(side: &mut Side, to: SocketAddr, certificate: &[u8]) {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).expect("a certificate as served");
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring speaks TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("a suite for QUIC")));
    config.transport_config(transport());
    let endpoint = endpoint(None);
    let connect = async || -> Connection {
        endpoint.connect_with(config.clone(), to, "localhost").expect("a fair address").await.expect("a connection")
    };
    match side.task {
        Task::Bulk(size) => {
            let connection = connect().await;
            let mut stream = connection.open_uni().await.expect("a stream");
            let message = Bytes::from(vec![0x5a; MESSAGE]);
            side.begin();
            let mut left = size;
            while left > 0 {
                let part = message.slice(..left.min(MESSAGE as u64) as usize);
                left -= part.len() as u64;
                stream.write_chunk(part).await.expect("bytes go");
            }
            stream.finish().expect("open until now");
            stream.stopped().await.expect("acknowledged to the end");
            side.end();
            connection.close(VarInt::from_u32(0), b"");
        }
        Task::Echo(count) => {
            let connection = connect().await;
            let (mut questions, mut answers) = connection.open_bi().await.expect("a stream");
            let question = Bytes::from(vec![0x5a; crate::QUESTION]);
            let mut answer = vec![0; crate::QUESTION];
            side.begin();
            for _ in 0..count {
                let asked = side.lap();
                questions.write_chunk(question.clone()).await.expect("bytes go");
                answers.read_exact(&mut answer).await.expect("bytes come");
                side.lapped(asked);
            }
            side.end();
            connection.close(VarInt::from_u32(0), b"");
        }
        Task::Handshakes(time) => {
            side.begin();
            let end = tokio::time::Instant::now() + time;
            let one = async || {
                let mut count = 0;
                while tokio::time::Instant::now() < end {
                    connect().await.close(VarInt::from_u32(0), b"");
                    count += 1;
                }
                count
            };
            side.count = crate::measure::side_by_side(one).await;
            side.end();
        }
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), endpoint.wait_idle()).await;
}

async fn accept(endpoint: &Endpoint) -> Connection {
    endpoint.accept().await.expect("somebody dials").await.expect("a connection")
}

fn endpoint(server: Option<ServerConfig>) -> Endpoint {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0).into()).expect("a free port");
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, BUFFER);
    let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(&socket, BUFFER);
    Endpoint::new(EndpointConfig::default(), server, socket.into(), Arc::new(TokioRuntime)).expect("an endpoint")
}

fn transport() -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport
        .initial_mtu(MTU)
        .mtu_discovery_config(None)
        .stream_receive_window(VarInt::from_u32(8 << 20))
        .receive_window(VarInt::from_u32(16 << 20))
        .send_window(16 << 20);
    Arc::new(transport)
}

/// AES-128-GCM only.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    let mut provider = rustls::crypto::ring::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    Arc::new(provider)
}
