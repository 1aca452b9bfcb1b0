//! The tests that ask for more than one operation, for headers, or for datagrams.

use crate::driving::Probe;
use crate::judging::{Call, Log, Need, Verdict, number};
use crate::recording::Exchange;
use crate::tree::Node;

pub fn judge(id: &str, log: &Log) -> Verdict {
    match id {
        "USERTOKENPROFILE-1" => username_token(log),
        "HTTPDIGEST-1" => digest(log),
        "DISCOVERY-1" => probed(log, |_| true),
        "NVTDISCOVERYTYPEFILTER-1" => type_filter(log, "NetworkVideoTransmitter"),
        "DEVICEDISCOVERYTYPEFILTER-1" => type_filter(log, "Device"),
        "EVENTHANDLING-1" => on_subscription(
            log,
            "tev:PullMessages",
            &[Need::Text("Timeout"), Need::Text("MessageLimit")],
        ),
        "KEEPALIVEFORPULLPOINTEVENTHANDLING-1" => on_subscription(log, "wsnt:Renew", &[]),
        "RELAYOUTPUTSUSINGDEVICEIO-1" => at_device_io(log, "tds:GetRelayOutputs"),
        "RELAYOUTPUTSUSINGDEVICEIO-2" => at_device_io(log, "tds:SetRelayOutputState"),
        "MULTICASTSTREAMING-2" => pair(
            log,
            "trt:StartMulticastStreaming",
            "trt:StopMulticastStreaming",
            |start, stop| same(start, stop, "ProfileToken"),
        ),
        "AUDIOSTREAMING-1" => add_audio(log),
        "PTZCONFIGURATION-1" => pair(
            log,
            "tptz:GetConfigurations",
            "trt:AddPTZConfiguration",
            |_, add| {
                add.meets(&Need::Text("ProfileToken"))
                    && add.meets(&Need::Text("ConfigurationToken"))
            },
        ),
        "SETIMAGINGSETTINGS-2" => pair(
            log,
            "timg:GetOptions",
            "timg:SetImagingSettings",
            |options, set| same(options, set, "VideoSourceToken"),
        ),
        "FOCUSCONTROL-1" => focus(log, "Absolute", "Position", true),
        "FOCUSCONTROL-2" => focus(log, "Relative", "Distance", true),
        "FOCUSCONTROL-3" => focus(log, "Continuous", "Speed", false),
        "MEDIA2_METADATAPROFILECONFIGURATION-2" => add(log, "Metadata"),
        "MEDIA2_VIDEOPROFILECONFIGURATION-1" => add(log, "VideoEncoder"),
        "MEDIA2_AUDIOPROFILECONFIGURATION-1" => add(log, "AudioSource"),
        "MEDIA2_AUDIOPROFILECONFIGURATION-4" => add(log, "AudioEncoder"),
        "MEDIA2_AUDIOOUTPUTPROFILECONFIGURATION-1" => add(log, "AudioOutput"),
        "MEDIA2_AUDIOOUTPUTPROFILECONFIGURATION-4" => add(log, "AudioDecoder"),
        "MEDIA2_ANALYTICSPROFILECONFIGURATION-2" => add(log, "Analytics"),
        "PTZUSINGMEDIA2PROFILECONFIGURATION-1" => add(log, "PTZ"),
        "MEDIA2_GETSNAPSHOTURI-1" => snapshot(log),
        "MOTIONDETECTION-3" => pair(
            log,
            "tan:CreateRules",
            "tan:DeleteRules",
            |create, delete| {
                create.meets(&Need::Is("Rule/@Type", "tt:MotionRegionDetector"))
                    && create.request.text_at("Rule/@Name") == delete.request.text_at("RuleName")
            },
        ),
        other => panic!("{other} has no criterion"),
    }
}

/// Two operations on one camera, the second after the first.
fn pair(log: &Log, first: &str, second: &str, belong: impl Fn(&Call, &Call) -> bool) -> Verdict {
    if log.done(first).next().is_none() || log.done(second).next().is_none() {
        return Verdict::NotDetected;
    }
    let found = log.done(second).any(|(at, second)| {
        log.done(first)
            .any(|(before, first)| before < at && first.beside(second) && belong(first, second))
    });
    passed(
        found,
        &format!("{first} and {second} do not belong together"),
    )
}

fn passed(holds: bool, otherwise: &str) -> Verdict {
    match holds {
        true => Verdict::Passed,
        false => Verdict::Failed(otherwise.to_owned()),
    }
}

fn same(one: &Call, other: &Call, path: &str) -> bool {
    let text = one.request.text_at(path);
    text.is_some() && text == other.request.text_at(path)
}

fn username_token(log: &Log) -> Verdict {
    let mut tokens = log.calls.iter().filter_map(|call| {
        let token = call.header.at("Security/UsernameToken")?;
        Some((call, token))
    });
    if tokens.clone().next().is_none() {
        return Verdict::NotDetected;
    }
    let parts = ["Username", "Password", "Nonce", "Created"];
    let whole = tokens.any(|(call, token)| {
        call.succeeded() && parts.iter().all(|part| token.text_at(part).is_some())
    });
    passed(whole, "no token was whole and accepted")
}

fn digest(log: &Log) -> Verdict {
    let challenged = log.calls.iter().enumerate().filter(|(_, call)| {
        call.exchange.status == 401 && !call.exchange.request_headers.contains_key("authorization")
    });
    let mut challenged = challenged.peekable();
    if challenged.peek().is_none() {
        return Verdict::NotDetected;
    }
    let found = challenged.any(|(at, first)| {
        let challenges = first.exchange.response_headers.get_all("www-authenticate");
        let mut challenges = challenges
            .iter()
            .filter_map(|value| digest_of(value.to_str().ok()?));
        challenges.any(|challenge| {
            log.calls[at + 1..]
                .iter()
                .any(|retry| retry.went_to(&first.exchange.url) && answers(retry, first, challenge))
        })
    });
    passed(
        found,
        "no request was repeated with an accepted answer to the challenge",
    )
}

fn answers(retry: &Call, first: &Call, challenge: &str) -> bool {
    let authorization = retry.exchange.request_headers.get("authorization");
    let authorization = authorization.and_then(|value| digest_of(value.to_str().ok()?));
    authorization.is_some_and(|answer| {
        let echoes = |name| {
            let given = parameter(challenge, name);
            given.is_some() && given == parameter(answer, name)
        };
        retry.exchange.status == 200
            && retry.request.name == first.request.name
            && echoes("realm")
            && echoes("nonce")
            && ["username", "uri"]
                .iter()
                .all(|name| parameter(answer, name).is_some_and(|text| !text.is_empty()))
    })
}

fn digest_of(header: &str) -> Option<&str> {
    header.strip_prefix("Digest ")
}

/// A quoted parameter of a header.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let quoted = header.split([',', ' ']).find_map(|part| {
        let (found, value) = part.trim().split_once('=')?;
        (found == name).then_some(value)
    })?;
    Some(quoted.trim_matches('"'))
}

/// A probe whose answer relates to it.
fn probed(log: &Log, of_type: impl Fn(&Node) -> bool) -> Verdict {
    let answered = |probe: &Probe| {
        let Some(request) = Node::read(&probe.request) else {
            return false;
        };
        let action = request.text_at("Header/Action").unwrap_or_default();
        let id = request.text_at("Header/MessageID");
        let matched = probe.answers.iter().any(|answer| {
            Node::read(answer).is_some_and(|answer| {
                id.is_some()
                    && answer.text_at("Header/RelatesTo") == id
                    && answer.at("Body/ProbeMatches/ProbeMatch").is_some()
            })
        });
        action.ends_with("Probe") && matched && of_type(&request)
    };
    match log.probes.is_empty() {
        true => Verdict::NotDetected,
        false => passed(log.probes.iter().any(answered), "no probe was answered"),
    }
}

fn type_filter(log: &Log, name: &str) -> Verdict {
    let of_type = |request: &Node| {
        let types = request.text_at("Body/Probe/Types").unwrap_or_default();
        types.rsplit(':').next() == Some(name)
    };
    match probed(log, of_type) {
        Verdict::Passed => Verdict::Waived(
            "types and answer are as asked for, but loopback has no multicast; by multicast: `interop/tests/discovery.rs`",
        ),
        other => other,
    }
}

/// An operation on the very address that CreatePullPointSubscription returned.
fn on_subscription(log: &Log, operation: &str, needs: &[Need]) -> Verdict {
    pair(
        log,
        "tev:CreatePullPointSubscription",
        operation,
        |created, call| {
            let address = created.reply.text_at("SubscriptionReference/Address");
            address.is_some_and(|address| call.went_to(address))
                && needs.iter().all(|need| call.meets(need))
        },
    )
}

/// An operation at the address that the camera lists for DeviceIO.
fn at_device_io(log: &Log, operation: &str) -> Verdict {
    pair(log, "tds:GetServices", operation, |services, call| {
        let mut listed = services.reply.all("Service");
        listed.any(|service| {
            service.text_at("Namespace") == Some("http://www.onvif.org/ver10/deviceIO/wsdl")
                && service
                    .text_at("XAddr")
                    .is_some_and(|url| call.went_to(url))
        })
    })
}

fn add_audio(log: &Log) -> Verdict {
    let steps = [
        "trt:GetCompatibleAudioSourceConfigurations",
        "trt:AddAudioSourceConfiguration",
        "trt:GetCompatibleAudioEncoderConfigurations",
        "trt:AddAudioEncoderConfiguration",
    ];
    let mut after = 0;
    for step in steps {
        let next = log.done(step).find(|(at, call)| {
            *at >= after
                && call.meets(&Need::Text("ProfileToken"))
                && (!step.contains(":Add") || call.meets(&Need::Text("ConfigurationToken")))
        });
        match next {
            Some((at, _)) => after = at + 1,
            None => return Verdict::NotDetected,
        }
    }
    Verdict::Passed
}

/// A move of the focus that the camera's options offered before.
fn focus(log: &Log, kind: &str, what: &str, optional_speed: bool) -> Verdict {
    let path = format!("Focus/{kind}");
    if !log
        .done("timg:Move")
        .any(|(_, call)| call.request.at(&path).is_some())
    {
        return Verdict::NotDetected;
    }
    pair(log, "timg:GetMoveOptions", "timg:Move", |options, moved| {
        let range = options.reply.at(&format!("MoveOptions/{kind}"));
        let (Some(range), Some(moving)) = (range, moved.request.at(&path)) else {
            return false;
        };
        let within = |name: &str| {
            let number_at = |node: &Node, path: &str| number(node.text_at(path));
            let least = number_at(range, &format!("{name}/Min"));
            let most = number_at(range, &format!("{name}/Max"));
            let value = number_at(moving, name);
            matches!((least, value, most), (Some(least), Some(value), Some(most))
                if (least..=most).contains(&value))
        };
        same(options, moved, "VideoSourceToken")
            && within(what)
            && (!optional_speed || moving.at("Speed").is_none() || within("Speed"))
    })
}

/// A configuration put into a profile of Media2, which the last answer about this profile listed.
fn add(log: &Log, kind: &str) -> Verdict {
    let (listing, item) = match kind {
        "PTZ" => (
            "tptz:GetCompatibleConfigurations".to_owned(),
            "PTZConfiguration",
        ),
        kind => (format!("tr2:Get{kind}Configurations"), "Configurations"),
    };
    let mut additions = log.done("tr2:AddConfiguration").filter_map(|(at, call)| {
        let mut added = call.request.all("Configuration");
        let added = added.find(|added| added.text_at("Type") == Some(kind))?;
        Some((at, call, added.text_at("Token")?))
    });
    if additions.clone().next().is_none() {
        return Verdict::NotDetected;
    }
    let listed = additions.any(|(at, call, token)| {
        let before = log.done(&listing).filter(|(before, list)| {
            *before < at && list.beside(call) && same(list, call, "ProfileToken")
        });
        before.last().is_some_and(|(_, list)| {
            let mut items = list.reply.all(item);
            items.any(|item| item.text_at("@token") == Some(token))
        })
    });
    passed(listed, "what was added was not listed before")
}

fn snapshot(log: &Log) -> Verdict {
    let mut uris = log
        .done("tr2:GetSnapshotUri")
        .filter_map(|(_, call)| call.reply.text_at("Uri"));
    if uris.clone().next().is_none() {
        return Verdict::NotDetected;
    }
    let fetched = |uri: &str| {
        let is_it = |fetch: &Exchange| fetch.url == uri && fetch.status == 200;
        log.fetches.iter().any(is_it)
    };
    passed(
        uris.any(fetched),
        "no snapshot was fetched from the URI that was returned",
    )
}
