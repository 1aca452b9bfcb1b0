//! What no broker takes is not sent, as many close the connection over it.

use super::*;

#[tokio::test]
async fn sends_no_text_that_a_broker_would_close_the_connection_over() {
    let broker = Broker::bind().await;
    let session = MqttSession::connect(options(broker.port)).await.unwrap();
    let mut peer = soon(broker.accept(Accept::default())).await;
    type Change = fn(&mut Publish);
    let changes: [Change; 7] = [
        |publish| publish.topic = "a\nb".into(),
        |publish| publish.properties.response_topic = Some("a\u{7f}b".into()),
        |publish| publish.properties.content_type = Some("a\0b".into()),
        |publish| publish.properties.user = vec![("name".into(), "line 1\nline 2".into())],
        |publish| publish.properties.user = vec![("na\tme".into(), "value".into())],
        |publish| publish.properties.user = vec![("name".into(), "\u{85}".into())],
        |publish| publish.properties.user = vec![("name".into(), "\u{fdd0}".into())],
    ];
    for change in changes {
        let mut bad = Publish::new("a", "x");
        change(&mut bad);
        let error = session.publish(bad).await.unwrap_err();
        assert!(matches!(error, PublishError::Invalid { .. }), "{error:?}");
    }
    let answer = async {
        let publish = published(&mut peer).await;
        assert_eq!(publish.topic, "good");
        peer.puback(publish.pkid, PubAckReason::Success).await;
    };
    let mut good = Publish::new("good", "x\n");
    good.properties.user = vec![("name".into(), "Tür 📷 \u{fffd}".into())];
    let (result, ()) = soon(async { tokio::join!(session.publish(good), answer) }).await;
    assert_eq!(result, Ok(()));
}
