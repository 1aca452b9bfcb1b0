//! The table of ids, and the page that shows it with verdicts.

use std::fmt::Write;

use crate::judging::Verdict;

/// A test of a profile, as the specification has it.
#[derive(Clone, Copy, Debug)]
pub struct Id {
    /// `S` or `T`.
    pub profile: &'static str,
    /// `mandatory`, `conditional` or `optional`.
    pub level: &'static str,
    pub id: &'static str,
    pub feature: &'static str,
}

#[derive(Debug)]
pub struct Row {
    pub id: Id,
    pub verdict: Verdict,
}

pub fn ids() -> impl Iterator<Item = Id> {
    let lines = include_str!("ids.tsv").lines().skip(1);
    lines.map(|line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap();
        Id {
            profile: next(),
            level: next(),
            id: next(),
            feature: next(),
        }
    })
}

const PREFACE: &str = "\
# Conformance matrix

What ONVIF's client tests (client test specifications 22.06 for Profile S and Profile T) want to see of a client, looked for in the
traffic that the clients of this workspace had with the virtual camera. It is a self-check on recorded requests and answers. It is
**not an ONVIF conformance claim**: that takes ONVIF's own tool, its members, and real devices.

| result | means |
|---|---|
| PASSED | the exchange was recorded, and is as the test wants it |
| WAIVED | not judged here, for the reason given |
| MEDIA-PIPELINE | the test is about RTSP: session, tunnel, session description, decoding. `media-pipeline` speaks it, with tests of its own |

Written by `UPDATE_DOCS=1 cargo test -p examples --test conformance`; without the variable, the test fails where this page differs from
what it finds. That the requests are valid against ONVIF's schemas is checked by `interop/tests/request_schema.rs`.
";

/// The whole page.
pub fn document(rows: &[Row]) -> String {
    let mut page = String::from(PREFACE);
    page.push_str(
        "\n| profile | tests | PASSED | WAIVED | MEDIA-PIPELINE |\n|---|--:|--:|--:|--:|\n",
    );
    for profile in ["S", "T"] {
        let of_profile = || rows.iter().filter(move |row| row.id.profile == profile);
        let count = |is: fn(&Verdict) -> bool| of_profile().filter(|row| is(&row.verdict)).count();
        writeln!(
            page,
            "| {profile} | {} | {} | {} | {} |",
            of_profile().count(),
            count(|verdict| *verdict == Verdict::Passed),
            count(|verdict| matches!(verdict, Verdict::Waived(_))),
            count(|verdict| *verdict == Verdict::MediaPipeline),
        )
        .unwrap();
    }
    for profile in ["S", "T"] {
        for level in ["mandatory", "conditional", "optional"] {
            write!(page, "\n## Profile {profile}, {level}\n\n").unwrap();
            page.push_str("| id | feature | result |\n|---|---|---|\n");
            for Row { id, verdict } in rows {
                if id.profile == profile && id.level == level {
                    writeln!(page, "| {} | {} | {verdict} |", id.id, id.feature).unwrap();
                }
            }
        }
    }
    page
}
