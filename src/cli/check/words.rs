//! What a NAT means for peers, in plain words.

use crate::node::rendezvous::Verdict;

/// Which peers can be reached from behind a NAT or firewall that behaves so.
///
/// Two peers that a rendezvous introduces send to each other at once. That fails where one has a port of its own for
/// each far end (a symmetric NAT), so that the other cannot know it, and the other lets in only ports that it knows.
pub(super) fn meaning(translated: bool, mapping: Verdict, filtering: Verdict) -> String {
    use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};
    let symmetric = matches!(mapping, Address | Port);
    let text = match (translated, mapping, filtering) {
        (_, _, All) if !symmetric => {
            if translated {
                "everybody gets in, once this side is registered: peers behind any NAT can be reached"
            } else {
                "everybody gets in: peers behind any NAT can be reached"
            }
        }
        (_, _, Port) if symmetric => {
            "a symmetric NAT: peers without a NAT, or whose NAT lets in every port of an address that they sent to, can \
             be reached; peers behind another symmetric or a port-restricted NAT cannot"
        }
        _ if symmetric => {
            "a symmetric NAT: most peers can be reached, but none whose NAT is port-restricted or symmetric too"
        }
        (_, _, Port) => {
            "packets get in from where this side has sent to: most peers can be reached, but none behind a symmetric NAT"
        }
        (_, _, Address) => {
            "packets get in from addresses that this side has sent to, whatever their port: peers behind any NAT can be \
             reached"
        }
        (_, _, Verdict::EndpointIndependentOrUnknown) => {
            "packets get in from ports that this side has not sent to: peers behind any NAT can be reached"
        }
        _ => "UDP gets through to the rendezvous; what gets in from elsewhere is not known",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as All};

    /// The kinds of NAT as they are often called, as verdicts.
    const FULL_CONE: (Verdict, Verdict) = (All, All);
    const RESTRICTED: (Verdict, Verdict) = (All, Address);
    const PORT_RESTRICTED: (Verdict, Verdict) = (All, Port);
    const SYMMETRIC: (Verdict, Verdict) = (Port, Port);

    #[test]
    fn words_agree_with_which_pairs_of_nats_connect() {
        let says = |(mapping, filtering)| meaning(true, mapping, filtering);
        for kind in [FULL_CONE, RESTRICTED] {
            assert!(says(kind).contains("behind any NAT can be reached"), "{kind:?}");
        }
        assert!(says(PORT_RESTRICTED).contains("none behind a symmetric NAT"));
        assert!(says(SYMMETRIC).contains("another symmetric or a port-restricted NAT cannot"));
        assert!(meaning(false, All, All).contains("everybody gets in:"));
        assert!(meaning(true, Verdict::Unknown, Verdict::Unknown).contains("not known"));
    }
}
