//! What conclusions stand on: no conclusion is surer than the mends it rests on.

use crate::context::Facts;
use crate::expression::Expressed;
use crate::images::Images;
use kwhy_oops::{Damage, Grade as LogGrade};
use kwhy_report::model::{Blame, Grade, Hypothesis};

/// Which parts of the log were mended without proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footing {
    /// What the fault itself is told by: place, code, address, syndrome, the registers of the
    /// instruction, the release that the image is chosen by.
    pub fault: bool,
    /// The call trace.
    pub trace: bool,
}

impl Footing {
    /// What the facts of a crash stand on.
    pub fn of(facts: &Facts<'_>, images: &Images<'_, '_>) -> Footing {
        let weak = |d: &&Damage| d.likely.is_some() && d.grade != LogGrade::Proved;
        let used = used_registers(facts);
        // An image that is possibly of another build may name another line, type or member.
        let mut footing = Footing {
            fault: facts.places.here().is_some_and(|here| images.is_doubtful(here)),
            ..Footing::default()
        };
        for damage in facts.damage.iter().filter(weak) {
            match damage.field.as_str() {
                "pc" | "lr" | "Code" | "fault address" | "ESR" | "error code" | "release" | "CR2" => {
                    footing.fault = true;
                }
                "frame" | "frame offset" | "module" => footing.trace = true,
                name => footing.fault |= used.iter().any(|used| used == name),
            }
        }
        footing
    }

    /// The grade that is left of one.
    fn cap(weak: bool, grade: Grade) -> Grade {
        if weak { grade.max(Grade::Likely) } else { grade }
    }

    /// Lowers the expression's grade.
    pub fn cap_expression(self, expressed: &mut Expressed) {
        if let Some(expression) = &mut expressed.expression {
            expression.grade = Footing::cap(self.fault, expression.grade);
        }
    }

    /// Lowers the grades of the causes; their order stays.
    pub fn cap_causes(self, hypotheses: &mut [Hypothesis]) {
        for hypothesis in hypotheses {
            hypothesis.grade = Footing::cap(self.fault || self.trace, hypothesis.grade);
        }
    }

    /// Lowers the blame's grade.
    pub fn cap_blame(self, blame: Option<Blame>) -> Option<Blame> {
        blame.map(|blame| Blame { grade: Footing::cap(self.fault || self.trace, blame.grade), ..blame })
    }
}

/// Names of the registers that the faulting instruction reads, and of the one that was followed.
fn used_registers(facts: &Facts<'_>) -> Vec<String> {
    let mut used: Vec<kwhy_base::Reg> = facts.followed.iter().filter_map(|f| f.register).collect();
    if let Some(faulting) = &facts.faulting {
        used.extend(faulting.call_register());
        for touch in &faulting.accesses {
            used.extend(touch.access.memory.base);
            used.extend(touch.access.memory.index.map(|index| index.register));
        }
    }
    used.into_iter().map(|register| facts.name(register)).collect()
}
