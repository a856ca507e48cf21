//! The C expression that faulted, in the terms of every function concerned, with the checks
//! that make it a proof rather than a guess.

use crate::bare;
use crate::bounds;
use crate::callers::{self, Caller};
use crate::context::Facts;
use crate::images::Images;
use crate::location::Place;
use crate::origin::Start;
use crate::scenes::Scenes;
use kwhy_arch::Access;
use kwhy_base::catalogue::expression as say;
use kwhy_base::{ImageAddr, Prose, Reg, prose};
use kwhy_flow::describe::Footing;
use kwhy_flow::expr::{Recovered, Terms, effective_address};
use kwhy_flow::insn::{AccessKind, Flow, MemOperand};
use kwhy_flow::path::{self, Fit};
use kwhy_flow::scene::Scene;
use kwhy_oops::Family;
use kwhy_report::model::{Check, Expression, ExpressionIn, Grade, Hex, Outcome};
use std::collections::BTreeMap;

/// What the expression is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// An access to memory.
    #[default]
    Access,
    /// A call through a bad pointer.
    Call,
    /// A failed check.
    Check,
    /// A call in which a task waits.
    Wait,
}

/// What the images say of the fault.
#[derive(Clone, Debug, Default)]
pub struct Expressed {
    /// What the expression is of.
    pub sort: Sort,
    /// The expression.
    pub expression: Option<Expression>,
    /// The value of its pointer, where the registers or the fault address give it.
    pub value: Option<u64>,
    /// What each register holds at the fault, in C.
    pub holds: BTreeMap<Reg, String>,
    /// Where the bad value's trail begins.
    pub start: Option<Start>,
    /// The pointer is a NULL pointer less this offset: a list entry or the like made of NULL.
    pub null_less: Option<u64>,
    /// What an index led out of, by the code and the registers.
    pub strayed: Option<crate::strayed::Strayed>,
    /// The file, line and function that handed over the bad value, where a helper tripped over it.
    pub caller: Option<Caller>,
    /// A subscript that is none of its array's.
    pub outside: Option<bounds::Outside>,
    /// The array of characters that ends where the pointer that was followed begins.
    pub text_before: Option<bounds::TextBefore>,
}

/// Recovers what the images allow.
pub fn express(facts: &Facts<'_>, images: &Images<'_, '_>, scenes: &Scenes<'_, '_>) -> Expressed {
    if facts.is(Family::HungTask) || waits(facts) {
        return waiting(facts, scenes);
    }
    let Some(here) = facts.places.here() else { return Expressed::default() };
    let Some((scene, address)) = scenes.at(here) else { return Expressed::default() };
    let mut expressed = if facts.places.pc_is_garbage {
        call_target(facts, &scene, here)
    } else if facts.is_access_fault() || facts.is(Family::Kfence) {
        access(facts, images, scenes, &scene, here)
    } else if is_trap(&scene, here) {
        trap(facts, scenes, &scene, here)
    } else {
        access(facts, images, scenes, &scene, here)
    };
    if !facts.places.pc_is_garbage
        && let Some(cpu) = facts.cpu
    {
        for (_, register) in cpu.registers {
            if let Some(text) = scene.holds(address, *register) {
                expressed.holds.insert(*register, text);
            }
        }
    }
    expressed
}

impl Expressed {
    /// Whether the caller of a helper that tripped was itself handed the value.
    pub fn handed_on(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.handed_on)
    }

    /// The expression as sentences: what faulted, and who handed the bad value over.
    pub fn sentences(&self) -> Vec<Prose> {
        let Some(expression) = &self.expression else { return Vec::new() };
        let text = expression.text.as_str();
        let grade = crate::verdict::grade_word(expression.grade);
        let value = self.value.map(hex);
        let mut sentences = vec![match (self.sort, &expression.pointer, value) {
            (Sort::Call, Some(pointer), Some(value)) => {
                prose!(say::CALLED, text = text, grade = grade, pointer = pointer, value = value)
            }
            (Sort::Check, ..) => prose!(say::CHECKED, text = text, grade = grade),
            (Sort::Wait, ..) => prose!(say::WAITED, text = text, grade = grade),
            (_, Some(pointer), Some(value)) => {
                prose!(say::FAULTED_POINTER, text = text, grade = grade, pointer = pointer, value = value)
            }
            _ => prose!(say::FAULTED, text = text, grade = grade),
        }];
        if let Some(Caller { terms, .. }) = &self.caller {
            let place = match (&terms.file, terms.line) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                _ => "?".to_owned(),
            };
            let function = terms.function.as_ref();
            sentences.push(prose!(say::HANDED_OVER, function = function, place = place, text = &terms.text));
        }
        sentences
    }
}

fn is_trap(scene: &Scene<'_, '_>, here: &Place) -> bool {
    here.address.and_then(|at| scene.insn(at)).is_some_and(|insn| insn.flow == Flow::Stop)
}

/// A report about a task that waits: its own stack shows no program counter.
fn waits(facts: &Facts<'_>) -> bool {
    facts.record.pc.is_none() && facts.record.registers.is_empty() && facts.is(Family::AtomicSleep)
}

/// An access to memory.
fn access(
    facts: &Facts<'_>,
    images: &Images<'_, '_>,
    scenes: &Scenes<'_, '_>,
    scene: &Scene<'_, '_>,
    here: &Place,
) -> Expressed {
    let Some(pc) = here.address else { return Expressed::default() };
    let fault = facts.findings.address_likely.or(facts.fault.best);
    let registers = |register: Reg| facts.record.registers.known(register);
    let recovered = scene.recover(pc, fault, &registers);
    let explained = recovered.as_ref().is_some_and(|r| r.main.fit.is_some());
    // A clone that was handed what its original reads itself: the caller knows what it is.
    let handed = || {
        let (access, register) = scene.parameter_access(pc, fault, &registers)?;
        let (caller, call, at_call) = callers::call_of(facts, scenes, &scene.symbol, register)?;
        scene.recover_from_caller(pc, access, register, &caller, (call, at_call))
    };
    let recovered = if explained { recovered } else { handed().or(recovered) };
    let Some(recovered) = recovered else { return bare::handed_to_helper(facts, scenes, scene, here) };
    let mut checks = vec![
        address_check(facts, &recovered, fault),
        access_check(facts, &recovered),
        size_check(scene, here),
        code_check(images, here),
    ];
    checks.extend(bare::type_check(scene, &recovered));
    let computed = effective_address(&without_index(&recovered.memory), &registers);
    let offset = recovered.main.offset.unwrap_or(0);
    let fault_value = fault.filter(|_| recovered.memory.index.is_none());
    let value = computed.or(fault_value).map(|address| address.wrapping_add_signed(offset.wrapping_neg()));
    let mut value = value.filter(|_| recovered.memory.segment.is_none() && recovered.memory.base.is_some());

    let value_seen = value;
    // `container_of()`: the value is something that was read, less a member's offset.
    let null_less = recovered
        .base
        .zip(value)
        .filter(|(base, value)| scene.is_null_less(*base, *value))
        .map(|(_, value)| value.wrapping_neg());
    let outside = bounds::outside(scene, pc, &recovered, fault, &registers, &facts.space);
    let text_before = recovered.base.and_then(|base| {
        let read = scene.read_as(pc, base)?;
        bounds::text_before(scene.image, pc, read.record.as_deref()?, read.member.as_deref()?)
    });
    let mut start = recovered.base.map(|value| Start::Value { value, observed: value_seen, index: None });
    let mut main = recovered.main.clone();
    let mut also: Vec<Terms> = recovered.also.clone();
    // A core helper trips over what it was handed: whose it was is said in the callers' terms.
    let direct = recovered.base.and_then(|base| {
        scene.as_entry(base).map(|(register, _)| register).or_else(|| scene.parameter_register(base))
    });
    let root = direct.or_else(|| {
        let roots = recovered.base.map(|base| scene.argument_roots(base)).unwrap_or_default();
        match roots.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    });
    let callers = match root {
        Some(register) if crate::helpers::helper(&scene.symbol).is_some() => {
            callers::follow(facts, scenes, &scene.symbol, register)
        }
        _ => Vec::new(),
    };
    also.extend(callers.iter().map(|caller| caller.terms.clone()));
    let caller = callers.last().cloned();
    if let Some(caller) = &caller
        && direct.is_none()
        && main.record.is_some()
        && crate::helpers::helper(&scene.symbol) != Some(crate::helpers::Helper::Memory)
    {
        // The helper computed the pointer it tripped over (a page's descriptor from an object's
        // address): what was bad is the argument.
        also.insert(0, recovered.main.clone());
        main.pointer = caller.terms.pointer.clone().or(Some(caller.terms.text.clone()));
        main.record = caller.terms.record.clone();
        main.member = caller.terms.member.clone();
        main.offset = caller.terms.offset.filter(|_| caller.terms.record.is_some());
        value = root.and_then(|root| scene.where_is_entry(pc, root)).and_then(registers);
        start =
            root.map(|root| Start::Value { value: scene.entered_with(root), observed: value, index: None });
    } else if let Some(caller) = &caller
        && main.record.is_none()
    {
        // `*s` in strlen() says nothing of whose string it was; the caller's member does.
        main.pointer = caller.terms.pointer.clone().or(Some(caller.terms.text.clone()));
        main.record = caller.terms.record.clone();
        main.member = caller.terms.member.clone();
        main.offset = caller.terms.offset.filter(|_| caller.terms.record.is_some()).or(main.offset);
    } else if let Some(caller) = &caller
        && caller.terms.record.is_some()
        && let Some(object) = caller.terms.text.strip_prefix('&')
        && let (Some(value), Some(offset)) = (&mut value, caller.terms.offset)
        && path::is_postfix(object)
    {
        // A lock or a list head inside something: the pointer that was bad is the caller's, to
        // the whole of it.
        *value = value.wrapping_add_signed(offset.wrapping_neg());
        also.insert(0, recovered.main.clone());
        let helper = main.clone();
        main = caller.terms.clone();
        main.text = object.to_owned();
        main.fit = helper.fit;
        main.footing = helper.footing.min(main.footing);
        main.ambiguous = helper.ambiguous;
    }
    if main.record.is_none()
        && let Some(read) = recovered.base.and_then(|base| scene.read_as(pc, base))
    {
        // Bytes behind a pointer have no member; the pointer's own place is what has a name.
        main.record = read.record;
        main.member = read.member;
        main.offset = read.offset;
    }
    if let (Some(outside), Some(Start::Value { index, .. })) = (&outside, &mut start) {
        *index = scene.register(pc, outside.register);
    }
    if facts.is(Family::DivideError) {
        start = divided_by(facts, scene, pc, &main).or(start);
    }
    let grade = grade(&main, &checks);
    Expressed {
        expression: Some(expression(&main, &also, grade, checks)),
        value,
        start,
        caller,
        null_less,
        outside,
        text_before,
        ..Expressed::default()
    }
}

/// The operand without its index: the pointer that was indexed.
fn without_index(memory: &MemOperand) -> MemOperand {
    MemOperand { index: None, ..memory.clone() }
}

/// Proved only where the types explain the access, the names hold at the fault, the registers
/// give the fault address, the function is the one in the image, and nothing disagrees.
fn grade(main: &Terms, checks: &[Check]) -> Grade {
    let outcome = |name: &str| checks.iter().find(|check| check.name == name).map(|check| check.outcome);
    let disagrees = checks.iter().any(|check| check.outcome == Outcome::Disagrees);
    // An element whose index is itself computed may have a name of its own in the source.
    let computed_index =
        main.text.split('[').skip(1).any(|part| part.split(']').next().is_some_and(|i| i.contains(' ')));
    let explained = main.fit >= Some(Fit::Narrower) && !main.ambiguous && !computed_index;
    let named = main.footing >= Footing::Earlier;
    if disagrees || main.fit.is_none() || main.footing == Footing::Raw {
        Grade::Possible
    } else if explained
        && named
        && outcome("address") == Some(Outcome::Agrees)
        && outcome("function-size") == Some(Outcome::Agrees)
    {
        Grade::Proved
    } else {
        Grade::Likely
    }
}

pub(crate) fn expression(main: &Terms, also: &[Terms], grade: Grade, checks: Vec<Check>) -> Expression {
    Expression {
        text: main.text.clone(),
        pointer: main.pointer.clone(),
        record: main.record.clone(),
        member: main.member.clone(),
        offset: main.offset.map(|offset| Hex(offset as u64)),
        grade,
        also: also.iter().map(in_terms).collect(),
        checks,
    }
}

fn in_terms(terms: &Terms) -> ExpressionIn {
    ExpressionIn {
        function: terms.function.to_string(),
        text: terms.text.clone(),
        pointer: terms.pointer.clone(),
        record: terms.record.clone(),
        member: terms.member.clone(),
        offset: terms.offset.map(|offset| Hex(offset as u64)),
        file: terms.file.as_ref().map(ToString::to_string),
        line: terms.line,
    }
}

pub(crate) fn made(name: &str, outcome: Outcome, detail: Prose) -> Check {
    Check { name: name.to_owned(), outcome, detail: detail.into() }
}

/// Base + index + displacement against the fault address.
fn address_check(facts: &Facts<'_>, recovered: &Recovered, fault: Option<u64>) -> Check {
    let operand = operand_text(facts, &recovered.memory);
    if recovered.memory.segment.is_some() {
        return made("address", Outcome::Unavailable, prose!(say::ADDRESS_SEGMENT, operand = operand));
    }
    let registers = |register: Reg| facts.record.registers.known(register);
    let Some(computed) = effective_address(&recovered.memory, &registers) else {
        return made("address", Outcome::Unavailable, prose!(say::ADDRESS_NO_REGISTERS, operand = operand));
    };
    let base = recovered.memory.base.or(recovered.memory.index.map(|index| index.register));
    let register = base.map(|base| facts.name(base)).unwrap_or_default();
    let value = base.and_then(&registers).unwrap_or(0);
    let Some(arch) = facts.arch() else {
        return made("address", Outcome::Unavailable, prose!(say::ADDRESS_NO_FAULT));
    };
    let Some(fault) = fault else {
        // A general protection fault names no address, but happens only where none can be.
        let region = kwhy_arch::classify_address(arch, computed, &facts.space).region;
        if facts.is(Family::GeneralProtection)
            && matches!(region, kwhy_arch::Region::NonCanonical | kwhy_arch::Region::Poison)
        {
            return made(
                "address",
                Outcome::Agrees,
                prose!(
                    say::ADDRESS_AGREES_NO_CR2,
                    register = register,
                    value = hex(value),
                    operand = operand,
                    computed = hex(computed)
                ),
            );
        }
        return made("address", Outcome::Unavailable, prose!(say::ADDRESS_NO_FAULT));
    };
    let width = u64::from(recovered.width.max(1));
    let agrees = (0..width).any(|byte| kwhy_arch::prints_as(arch, computed.wrapping_add(byte), fault));
    if agrees {
        let detail = prose!(
            say::ADDRESS_AGREES,
            register = register,
            value = hex(value),
            operand = operand,
            computed = hex(computed),
            fault = hex(fault)
        );
        return made("address", Outcome::Agrees, detail);
    }
    let detail =
        prose!(say::ADDRESS_DISAGREES, operand = operand, computed = hex(computed), fault = hex(fault));
    made("address", Outcome::Disagrees, detail)
}

fn hex(value: u64) -> String {
    format!("{value:#x}")
}

/// `x0 + 0xc8`, `rdi + rcx * 8`.
fn operand_text(facts: &Facts<'_>, memory: &MemOperand) -> String {
    let mut text = memory.base.map(|base| facts.name(base)).unwrap_or_default();
    if let Some(index) = &memory.index {
        if !text.is_empty() {
            text.push_str(" + ");
        }
        text.push_str(&facts.name(index.register));
        if index.scale > 1 {
            text.push_str(&format!(" * {}", index.scale));
        }
    }
    text.push_str(&crate::followed::displacement(memory.displacement));
    text
}

/// The instruction's direction against the fault's.
fn access_check(facts: &Facts<'_>, recovered: &Recovered) -> Check {
    let Some(access) = facts.fault.access else {
        return made("access", Outcome::Unavailable, prose!(say::ACCESS_UNKNOWN));
    };
    let width = recovered.width;
    let (instruction, agrees) = match recovered.kind {
        AccessKind::Read => (prose!(say::DOES_READ, width = width), access == Access::Read),
        AccessKind::Write => (prose!(say::DOES_WRITE, width = width), access == Access::Write),
        // The first half of a read-modify-write faults as a read on some CPUs, as a write on others.
        AccessKind::Modify => (prose!(say::DOES_MODIFY, width = width), access != Access::Execute),
    };
    let access = access.word();
    if agrees {
        made(
            "access",
            Outcome::Agrees,
            prose!(say::ACCESS_AGREES, instruction = instruction, access = access),
        )
    } else {
        made(
            "access",
            Outcome::Disagrees,
            prose!(say::ACCESS_DISAGREES, instruction = instruction, access = access),
        )
    }
}

/// The function's size in the log against the symbol's.
pub(crate) fn size_check(scene: &Scene<'_, '_>, here: &Place) -> Check {
    let symbol = here.at.symbol.clone().unwrap_or_else(|| scene.symbol.clone());
    let Some(size) = here.at.size else {
        return made("function-size", Outcome::Unavailable, prose!(say::SIZE_UNKNOWN, symbol = symbol));
    };
    let symbols = scene.image.symbols_named(&symbol);
    if symbols.iter().any(|s| s.size == size || s.elf_size == size) {
        return made(
            "function-size",
            Outcome::Agrees,
            prose!(say::SIZE_AGREES, symbol = symbol, size = hex(size)),
        );
    }
    let image = symbols.first().map(|s| hex(s.size)).unwrap_or_default();
    let detail = prose!(say::SIZE_DISAGREES, symbol = symbol, log = hex(size), image = image);
    made("function-size", Outcome::Disagrees, detail)
}

/// The `Code:` bytes against the image's, as compared when the image was accepted.
fn code_check(images: &Images<'_, '_>, here: &Place) -> Check {
    let found = images.checks_of(here).iter().find(|check| check.name == "code-bytes").cloned();
    found.unwrap_or_else(|| {
        made("code-bytes", Outcome::Unavailable, prose!(kwhy_base::catalogue::evidence::CHECK_CODE_UNKNOWN))
    })
}

/// A call through a bad function pointer.
fn call_target(facts: &Facts<'_>, scene: &Scene<'_, '_>, here: &Place) -> Expressed {
    let Some(call) = here.address.and_then(|at| scene.insn(at)) else { return Expressed::default() };
    let Some(terms) = scene.call_target(call.address) else { return Expressed::default() };
    let arguments: Option<Vec<String>> = scene
        .call_arity(call.address)
        .and_then(|count| scene.arguments(call.address, count).into_iter().collect());
    let mut main = terms.clone();
    main.text = match arguments {
        Some(arguments) => format!("{}({})", terms.text, arguments.join(", ")),
        None => format!("{}()", terms.text),
    };
    let target = facts.record.pc.as_ref().and_then(|pc| pc.value.address).or(facts.fault.best);
    let register = match &call.flow {
        Flow::CallIndirect(kwhy_flow::insn::Target::Register(r))
        | Flow::JumpIndirect(kwhy_flow::insn::Target::Register(r)) => Some(*r),
        _ => None,
    };
    let known = register.and_then(|r| Some((r, facts.record.registers.known(r)?)));
    let check = match (known, target) {
        (Some((r, value)), Some(target)) if value == target => made(
            "address",
            Outcome::Agrees,
            prose!(say::TARGET_AGREES, register = facts.name(r), value = hex(value)),
        ),
        // Nothing runs between the call and the fault, so another value means another call.
        (Some((r, value)), Some(target)) => made(
            "address",
            Outcome::Disagrees,
            prose!(say::TARGET_DISAGREES, register = facts.name(r), value = hex(value), fault = hex(target)),
        ),
        _ => made("address", Outcome::Unavailable, prose!(say::TARGET_UNKNOWN)),
    };
    let checks = vec![check, size_check(scene, here)];
    let disagrees = checks.iter().any(|check| check.outcome == Outcome::Disagrees);
    let proved = checks.iter().all(|check| check.outcome == Outcome::Agrees);
    let explained = main.fit >= Some(Fit::Narrower) && !main.ambiguous && main.footing >= Footing::Earlier;
    let grade = match (disagrees, proved && explained) {
        (true, _) => Grade::Possible,
        (false, true) => Grade::Proved,
        (false, false) => Grade::Likely,
    };
    let text_before = (main.record.as_deref().zip(main.member.as_deref()))
        .and_then(|(record, member)| bounds::text_before(scene.image, call.address, record, member));
    let start =
        scene.target_value(call.address).map(|value| Start::Value { value, observed: target, index: None });
    Expressed {
        expression: Some(expression(&main, &[], grade, checks)),
        value: target,
        start,
        sort: Sort::Call,
        text_before,
        ..Expressed::default()
    }
}

/// A `BUG()` or `WARN()`: its condition.
fn trap(facts: &Facts<'_>, scenes: &Scenes<'_, '_>, scene: &Scene<'_, '_>, here: &Place) -> Expressed {
    let Some(pc) = here.address else { return Expressed::default() };
    let Some(insn) = scene.insn(pc) else { return Expressed::default() };
    let condition = scene.trap_condition(pc);
    let macro_name = match facts.record.family {
        Some(Family::Warning | Family::Refcount) => "WARN_ON",
        _ => "BUG_ON",
    };
    let frame = here.source.first();
    let function = frame.map_or_else(|| scene.symbol.as_str().into(), |frame| frame.function.clone());
    let subject = condition.as_ref().and_then(|condition| condition.subject.as_ref());
    let mut main = Terms {
        function,
        file: frame.and_then(|frame| frame.file.clone()),
        line: frame.and_then(|frame| frame.line),
        text: match &condition {
            Some(condition) => format!("{macro_name}({})", condition.text),
            None => String::new(),
        },
        pointer: subject.and_then(|subject| subject.pointer.clone()),
        record: None,
        member: None,
        offset: None,
        fit: subject.and_then(|subject| subject.fit),
        ambiguous: subject.is_some_and(|subject| subject.ambiguous),
        footing: subject.map_or(Footing::Earlier, |subject| subject.footing),
    };
    if let Some(subject) = subject {
        main.record = scene.record_name(subject.pointee);
        main.member = subject.member.clone().filter(|_| main.record.is_some());
        main.offset = main.record.is_some().then_some(subject.offset);
    }
    let checks = vec![
        made("trap", Outcome::Agrees, prose!(say::TRAP_AGREES, instruction = insn.text())),
        size_check(scene, here),
    ];
    // A helper's check fails for what its caller handed it: the condition is said in those terms.
    let mut also = Vec::new();
    let mut caller = None;
    let root = subject.and_then(|subject| scene.as_entry(subject.base?));
    let helper = crate::helpers::helper(&scene.symbol).is_some();
    // Checks that only report (list debugging, reference counts) look at their first parameter.
    let first = facts.cpu.and_then(|cpu| cpu.arguments.first().copied());
    if helper && let Some(register) = root.map(|(register, _)| register).or(first) {
        let callers = callers::follow(facts, scenes, &scene.symbol, register);
        also.extend(callers.iter().map(|caller| caller.terms.clone()));
        if let Some(last) = callers.last() {
            let member = main.member.clone().filter(|_| root.is_some());
            main.pointer = Some(match &member {
                Some(member) => path::join(&last.terms.text, &format!(".{member}")),
                None => last.terms.text.clone(),
            });
            main.record = last.terms.record.clone();
            main.member = last.terms.member.clone();
            main.offset = last.terms.offset.filter(|_| main.record.is_some());
            caller = Some(last.clone());
        }
    }
    if main.text.is_empty() {
        main.text = match &caller {
            Some(caller) => format!("{}({})", crate::names::base_name(&scene.symbol), caller.terms.text),
            None => return Expressed::default(),
        };
    }
    let disagrees = checks.iter().any(|check| check.outcome == Outcome::Disagrees);
    // Compilers rearrange conditions; what is compared is sure, how the source writes it is not.
    let grade = if disagrees { Grade::Possible } else { Grade::Likely };
    let value = condition.as_ref().and_then(|condition| condition.equals);
    let object = root.map(|(register, _)| register).or(first.filter(|_| helper));
    let start = checked(scene, pc, &main, value, object);
    Expressed {
        expression: Some(expression(&main, &also, grade, checks)),
        value,
        start,
        caller,
        sort: Sort::Check,
        ..Expressed::default()
    }
}

/// The zero that was divided by: a member, or a register's value.
fn divided_by(facts: &Facts<'_>, scene: &Scene<'_, '_>, pc: ImageAddr, main: &Terms) -> Option<Start> {
    if let Some((register, _)) = crate::detectors::divisor(facts) {
        let value = scene.register(pc, register)?;
        return Some(Start::Value { value, observed: Some(0), index: None });
    }
    checked(scene, pc, main, Some(0), None)
}

/// What a failed check looked at: a member, or else the value that was compared.
fn checked(
    scene: &Scene<'_, '_>,
    pc: ImageAddr,
    main: &Terms,
    equals: Option<u64>,
    object: Option<Reg>,
) -> Option<Start> {
    if let (Some(record), Some(member), Some(Ok(offset))) =
        (&main.record, &main.member, main.offset.map(u64::try_from))
    {
        let text = main.pointer.as_deref().filter(|text| text.ends_with(member.as_str()));
        let text = text.map_or_else(|| format!("{record}.{member}"), str::to_owned);
        let (record, member) = (record.clone(), member.clone());
        return Some(Start::Member { record, member, offset, text, observed: equals, object });
    }
    let guard = scene.guards(pc).into_iter().next()?;
    let value = guard.compared.left;
    value.node.map(|_| Start::Value { value, observed: equals, index: None })
}

/// A task that waits: the call in which it does, with its argument.
fn waiting(facts: &Facts<'_>, scenes: &Scenes<'_, '_>) -> Expressed {
    let waiting = facts.places.frames.iter().find(|frame| {
        frame.reliable
            && frame.at.symbol.as_deref().is_some_and(|symbol| crate::helpers::helper(symbol).is_none())
    });
    let Some(place) = waiting else { return Expressed::default() };
    let Some((scene, address)) = scenes.at(place) else { return Expressed::default() };
    let Some(call) = scene.insn(address) else { return Expressed::default() };
    let Some(callee) = scene.callee_name(call.address) else { return Expressed::default() };
    let callee = crate::names::base_name(&callee).to_owned();
    let count = scene.parameter_count(&callee).unwrap_or(1);
    let arguments: Vec<String> = scene
        .arguments(call.address, count)
        .into_iter()
        .map(|argument| argument.unwrap_or_else(|| "…".to_owned()))
        .collect();
    let first = facts.cpu.and_then(|cpu| cpu.arguments.first().copied());
    let terms =
        first.and_then(|register| scene.argument_terms(call.address, register)).map(|(terms, _)| terms);
    let frame =
        place.source.iter().find(|frame| frame.file.as_deref().is_none_or(|file| !file.ends_with(".h")));
    let main = Terms {
        function: frame.map_or_else(|| scene.symbol.as_str().into(), |frame| frame.function.clone()),
        file: frame.and_then(|frame| frame.file.clone()),
        line: frame.and_then(|frame| frame.line),
        text: format!("{callee}({})", arguments.join(", ")),
        pointer: None,
        record: terms.as_ref().and_then(|terms| terms.record.clone()),
        member: terms.as_ref().and_then(|terms| terms.member.clone()),
        offset: terms.as_ref().filter(|terms| terms.record.is_some()).and_then(|terms| terms.offset),
        fit: terms.as_ref().and_then(|terms| terms.fit),
        ambiguous: false,
        footing: terms.as_ref().map_or(Footing::Earlier, |terms| terms.footing),
    };
    let checks = vec![size_check(&scene, place)];
    let grade =
        if checks.iter().any(|c| c.outcome == Outcome::Disagrees) { Grade::Possible } else { Grade::Likely };
    Expressed {
        expression: Some(expression(&main, &[], grade, checks)),
        sort: Sort::Wait,
        ..Expressed::default()
    }
}
