//! Microsoft's executor, answering every request with its payload: the peer that `mrpc-round-trips` of `benches` runs.
//! Usage: `echo-executor PORT TOPIC`

use aio_sdk::{answer, executor, session};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(port), Some(topic)) = (arguments.next(), arguments.next()) else {
        panic!("usage: echo-executor PORT TOPIC");
    };
    let port = port.parse().expect("a port is a number");
    let mut executor = executor(session(port, "microsoft-executor"), &topic);
    while let Some(request) = executor.recv().await {
        let request = request.expect("the executor subscribes");
        // As ours does: several at a time.
        tokio::spawn(async move {
            let text = request.payload.0.clone();
            if let Err(error) = request.complete(answer(&text, Vec::new())).await {
                eprintln!("a response could not be sent: {error}");
            }
        });
    }
}
