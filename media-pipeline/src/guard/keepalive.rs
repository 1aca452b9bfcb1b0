//! Which request keeps a session alive. Pure.
//!
//! `OPTIONS` is known to every camera, and not counted by many; the others are counted and not known to all, whatever
//! `Public` says (Tapo lists `SET_PARAMETER` and refuses it). What a camera lists is tried before the next time comes: by
//! then the session could be over.

const OPTIONS: &str = "OPTIONS";
/// In the order in which they are tried.
const COUNTED: [&str; 2] = ["GET_PARAMETER", "SET_PARAMETER"];

/// What is known of a camera's taste.
#[derive(Debug, Default)]
pub(super) struct Keepalive {
    /// What may be sent, the best first; not known before the first answer.
    methods: Option<Vec<&'static str>>,
}

impl Keepalive {
    /// Whether a request can serve to keep a session alive.
    pub(super) fn is_one(method: &str) -> bool {
        method == OPTIONS || COUNTED.contains(&method)
    }

    /// What to send next.
    pub(super) fn method(&self) -> &'static str {
        let methods = self.methods.as_deref().unwrap_or_default();
        methods.first().copied().unwrap_or(OPTIONS)
    }

    /// Takes note of an answer, and says what to send at once because this one was of no use.
    pub(super) fn answered(
        &mut self,
        method: &str,
        status: u16,
        public: Option<&str>,
    ) -> Option<&'static str> {
        match &mut self.methods {
            None => {
                let listed = |wanted: &str| {
                    let mut methods = public.unwrap_or_default().split(',');
                    methods.any(|listed| listed.trim().eq_ignore_ascii_case(wanted))
                };
                let counted = COUNTED.into_iter().filter(|method| listed(method));
                self.methods = Some(counted.chain([OPTIONS]).collect());
            }
            Some(methods) if !(200..300).contains(&status) => {
                methods.retain(|known| *known != method);
            }
            Some(_) => return None,
        }
        // What was sent last was not that.
        let methods = self.methods.as_deref().unwrap_or_default();
        methods.first().copied().filter(|best| *best != method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Option<&str> = Some("OPTIONS, DESCRIBE, set_parameter,GET_PARAMETER");

    #[test]
    fn what_is_listed_and_counts_is_sent_at_once() {
        let mut keepalive = Keepalive::default();
        assert_eq!(keepalive.method(), OPTIONS);
        assert_eq!(keepalive.answered(OPTIONS, 200, ALL), Some("GET_PARAMETER"));
        assert_eq!(keepalive.answered("GET_PARAMETER", 200, None), None);
        assert_eq!(keepalive.method(), "GET_PARAMETER");
    }

    #[test]
    fn what_is_refused_is_left_for_the_next() {
        let mut keepalive = Keepalive::default();
        keepalive.answered(OPTIONS, 200, ALL);
        let next = keepalive.answered("GET_PARAMETER", 501, None);
        assert_eq!(next, Some("SET_PARAMETER"));
        assert_eq!(
            keepalive.answered("SET_PARAMETER", 451, None),
            Some(OPTIONS)
        );
        assert_eq!(keepalive.method(), OPTIONS);
        assert_eq!(keepalive.answered(OPTIONS, 500, None), None);
        assert_eq!(keepalive.method(), OPTIONS);
    }

    #[test]
    fn a_camera_that_lists_nothing_is_sent_nothing_else() {
        let mut keepalive = Keepalive::default();
        assert_eq!(keepalive.answered(OPTIONS, 200, None), None);
        assert_eq!(keepalive.method(), OPTIONS);
    }
}
