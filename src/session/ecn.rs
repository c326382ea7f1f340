//! ECN reports, as rtmfp-cpp does (flash-profile notes section 8.1): chunk `ec`, the low 8 bits of the count of packets
//! that came with Congestion Experienced.

use crate::base::Ecn;

/// A step of the count from here on up is an old report that was overtaken.
const OLD: u8 = 0xe0;

/// Both directions of the reports.
#[derive(Debug)]
pub(super) struct EcnReports {
    ce_received: u8,
    due: bool,
    ce_reported: u8,
    reports: bool,
    marking: bool,
}

impl EcnReports {
    pub(super) fn new(marking: bool) -> Self {
        Self { ce_received: 0, due: false, ce_reported: 0, reports: false, marking }
    }

    /// `count` valid packets came with this mark.
    pub(super) fn on_packets(&mut self, ecn: Ecn, count: usize) {
        if ecn == Ecn::Ce {
            self.ce_received = self.ce_received.wrapping_add(count as u8);
        }
        self.due |= ecn != Ecn::NotEct && count > 0;
    }

    /// The count to report before the next acknowledgements, if there is news.
    pub(super) fn report(&self) -> Option<u8> {
        self.due.then_some(self.ce_received)
    }

    /// The report went out.
    pub(super) fn on_reported(&mut self) {
        self.due = false;
    }

    /// The far end reports; whether that means congestion.
    pub(super) fn on_report(&mut self, ce_count: u8) -> bool {
        self.reports = true;
        let news = ce_count.wrapping_sub(self.ce_reported);
        if news == 0 || news >= OLD {
            return false;
        }
        self.ce_reported = ce_count;
        true
    }

    /// A packet with acknowledgements was read: a far end that has not reported by now never will.
    pub(super) fn on_acks(&mut self) {
        self.marking &= self.reports;
    }

    /// What to mark packets with user data with.
    pub(super) fn mark(&self) -> Ecn {
        if self.marking { Ecn::Ect } else { Ecn::NotEct }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_packets_make_reports_and_each_makes_one() {
        let mut ecn = EcnReports::new(true);
        ecn.on_packets(Ecn::NotEct, 3);
        assert_eq!(ecn.report(), None);
        ecn.on_packets(Ecn::Ect, 3);
        assert_eq!(ecn.report(), Some(0));
        ecn.on_reported();
        assert_eq!(ecn.report(), None);
        ecn.on_packets(Ecn::Ce, 255);
        ecn.on_packets(Ecn::Ce, 2);
        assert_eq!(ecn.report(), Some(1));
    }

    #[test]
    fn a_report_counts_once_and_an_old_one_not_at_all() {
        let mut ecn = EcnReports::new(true);
        assert!(!ecn.on_report(0));
        assert!(ecn.on_report(7));
        assert!(!ecn.on_report(7) && !ecn.on_report(5));
        assert!(ecn.on_report(8));
    }

    #[test]
    fn a_far_end_that_does_not_report_gets_no_marks() {
        let mut silent = EcnReports::new(true);
        assert_eq!(silent.mark(), Ecn::Ect);
        silent.on_acks();
        silent.on_report(1);
        assert_eq!(silent.mark(), Ecn::NotEct);
        let mut reporting = EcnReports::new(true);
        reporting.on_report(0);
        reporting.on_acks();
        assert_eq!(reporting.mark(), Ecn::Ect);
    }
}
