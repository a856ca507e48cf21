//! The report's types. Their serialised form is the JSON contract; its schema is generated from them.

use kwhy_base::{Lang, Prose};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// An address, offset or raw value: in JSON the string `0x` + lower-case hex without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl JsonSchema for Hex {
    fn schema_name() -> Cow<'static, str> {
        "Hex".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]{0,15})$" })
    }
}

/// Prose: in JSON its English text; the other faces render it in the language asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Prose);

impl From<Prose> for Text {
    fn from(prose: Prose) -> Text {
        Text(prose)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.render(Lang::En))
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// `kwhy-report/1`.
    pub schema: &'static str,
    /// Each crash of the input, in order.
    pub crashes: Vec<Crash>,
    /// Remarks on the input as a whole.
    pub notes: Vec<Note>,
}

/// A remark on the input.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Note {
    /// 1-based line of the log it is about.
    pub line: Option<u32>,
    /// What.
    pub text: Text,
}

/// One crash.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Crash {
    /// The input it is from, as it was given; behind a colon, where in it: an archive's file, a
    /// journal's boot. Null where the report was made of bytes without a name.
    pub input: Option<String>,
    /// syzkaller-style title.
    pub title: String,
    /// Alternative titles.
    pub alt_titles: Vec<String>,
    /// Source file to blame by syzkaller's rules.
    pub guilty_file: Option<String>,
    /// Kind of crash, in syzkaller-compatible words.
    pub kind: String,
    /// Whether the report is torn beyond a sure title.
    pub corrupted: bool,
    /// 1-based first line of the crash in the log.
    pub first_line: u32,
    /// 1-based last line.
    pub last_line: u32,
    /// The verdict in one paragraph.
    pub verdict: Text,
    /// What happened, sentence by sentence, in order.
    pub story: Vec<Text>,
    /// CPU architecture.
    pub arch: Option<String>,
    /// Kernel release.
    pub kernel_release: Option<String>,
    /// Kernel build (`#1 Debian 6.1.192-2`).
    pub kernel_version: Option<String>,
    /// Hardware name.
    pub hardware: Option<String>,
    /// CPU number.
    pub cpu: Option<u32>,
    /// Process id.
    pub pid: Option<u32>,
    /// Task name.
    pub comm: Option<String>,
    /// KASLR offset.
    pub kernel_offset: Option<Hex>,
    /// Kernel taints, one entry a letter; `null` when the log does not say.
    pub taints: Option<Vec<Taint>>,
    /// The fault.
    pub fault: Option<Fault>,
    /// Processor state flags (PSTATE, EFLAGS), decoded.
    pub flags: Option<Syndrome>,
    /// What the exception table says of the faulting instruction: an entry that did not help, or
    /// none for an access to user memory. Null where it says nothing that matters, or was not found.
    pub fixup: Option<Fixup>,
    /// Where it happened.
    pub location: Option<Location>,
    /// The call trace, top first.
    pub frames: Vec<Frame>,
    /// What this family of reports says beyond that: both stacks of a KASAN report, the locks of a
    /// lockdep report, the stalled CPUs… empty where it says no more.
    pub details: Vec<crate::details::Detail>,
    /// How control got there, in words: system call, interrupt, kernel thread, module initialisation…
    pub entry: Option<Text>,
    /// The faulting instruction.
    pub instruction: Option<Instruction>,
    /// The code around the fault, explained.
    pub listing: Vec<ListingItem>,
    /// The C expression that faulted.
    pub expression: Option<Expression>,
    /// The value that was followed, used or called, and what it looks like.
    pub bad_value: Option<BadValue>,
    /// Registers, each classified.
    pub registers: Vec<Register>,
    /// How the bad value got to the fault, from the fault backwards, as far as the code shows it.
    pub trail: Vec<TrailStep>,
    /// Where the bad value came from, best first.
    pub origin: Vec<Origin>,
    /// Who is to blame.
    pub blame: Option<Blame>,
    /// `hypotheses[0].cause` or `undetermined`.
    pub cause: String,
    /// Ranked causes.
    pub hypotheses: Vec<Hypothesis>,
    /// Modules that were loaded.
    pub modules: Vec<Module>,
    /// Where the log contradicts itself.
    pub damage: Vec<Damage>,
    /// Images offered, and what became of each.
    pub images: Vec<ImageUse>,
    /// What was missing, and how to get it.
    pub missing: Vec<Missing>,
    /// Remarks on this crash, in the log's order.
    pub notes: Vec<Note>,
}

/// The fault itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fault {
    /// The fault address as printed.
    pub address: Option<Hex>,
    /// A better reading of it, where the log shows it damaged or the kernel prints it untagged.
    pub address_likely: Option<Hex>,
    /// The region: null, near-null, user, non-canonical, linear-map, vmalloc, kernel-text, kernel-data, module, vmemmap, fixmap, error-pointer, poison, kernel-other.
    pub address_class: Option<String>,
    /// How the class is known.
    pub address_reason: Option<Text>,
    /// read, write or execute.
    pub access: Option<String>,
    /// The fault syndrome (ESR_EL1, page-fault error code, vector).
    pub syndrome: Option<Syndrome>,
}

/// What the exception table says of an instruction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fixup {
    /// It has an entry: a fault there is expected.
    pub covered: bool,
    /// The instruction's address in the image.
    pub instruction: Hex,
    /// The entry's address in the image.
    pub entry: Option<Hex>,
    /// Where the kernel would have gone on, in the image.
    pub target: Option<Hex>,
    /// `EX_TYPE_UACCESS`…, or the handler's function; null where the table has neither.
    pub kind: Option<String>,
    /// What that means here, in sentences.
    pub reasons: Vec<Text>,
}

/// A register of bit-fields, decoded.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Syndrome {
    /// `ESR_EL1`, `error_code`, `PSTATE`, `EFLAGS`…
    pub name: String,
    /// Its value; the better one where the log's is damaged.
    pub value: Option<Hex>,
    /// Field by field, high bits first.
    pub fields: Vec<SyndromeField>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SyndromeField {
    /// `EC`, `DFSC`, `WnR`…
    pub name: String,
    /// `31:26`, `25`.
    pub bits: String,
    /// Its value.
    pub value: Hex,
    /// What it means.
    pub meaning: Text,
}

/// A taint letter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Taint {
    /// The letter.
    pub letter: char,
    /// What it means.
    pub meaning: Text,
}

/// A place in the code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Location {
    /// Symbol as in the log.
    pub symbol: Option<String>,
    /// Offset into it.
    pub offset: Option<Hex>,
    /// Its size.
    pub size: Option<Hex>,
    /// Module; null = the kernel image itself.
    pub module: Option<String>,
    /// Source file.
    pub file: Option<String>,
    /// Source line.
    pub line: Option<u32>,
    /// Inlined calls, innermost first, ending with the out-of-line function.
    pub inline_chain: Vec<SourceFrame>,
}

/// One level of the source.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SourceFrame {
    /// Function.
    pub function: String,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
}

/// A frame of the call trace.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Frame {
    /// The place.
    #[serde(flatten)]
    pub location: Location,
    /// Found by unwinding (`true`) or merely lying on the stack (`?`).
    pub reliable: bool,
    /// What the code says of a frame that merely lay on the stack: `called`, it is on a chain of calls
    /// and so real; `left-over`, those around it call each other without it; `no-call`, no call stands
    /// before it. Null where the code says nothing, and for frames found by unwinding.
    pub link: Option<String>,
    /// 1-based line of the log; null for a frame that the log does not print (known from LR).
    pub log_line: Option<u32>,
}

/// The faulting instruction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Instruction {
    /// Its address in the image, or in the log where there is no image.
    pub address: Option<Hex>,
    /// Its bytes, in hex.
    pub bytes: String,
    /// Disassembly.
    pub text: String,
    /// In plain words.
    pub explanation: Option<Text>,
}

/// One item of the annotated listing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum ListingItem {
    /// A source line begins.
    Source {
        /// Function (inlined or not) the line belongs to.
        function: Option<String>,
        /// File.
        file: String,
        /// Line.
        line: u32,
        /// The line's text, where the source is at hand.
        text: Option<String>,
    },
    /// An instruction.
    Instruction {
        /// Image address.
        address: Hex,
        /// `symbol+0x40`.
        offset: String,
        /// Bytes in hex.
        bytes: String,
        /// Disassembly with symbolised targets.
        text: String,
        /// In plain words.
        explanation: Option<Text>,
        /// The instruction that faulted.
        fault: bool,
    },
    /// Instructions left out.
    Gap {
        /// How many.
        count: u32,
    },
}

/// The C expression.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Expression {
    /// `use->target->holders_dir`.
    pub text: String,
    /// The pointer that was followed: `use->target`.
    pub pointer: Option<String>,
    /// The struct pointed to: `struct module`.
    #[serde(rename = "struct")]
    pub record: Option<String>,
    /// The member: `holders_dir`.
    pub member: Option<String>,
    /// The member's offset (or the access's offset from the pointer).
    pub offset: Option<Hex>,
    /// proved, likely or possible.
    pub grade: Grade,
    /// The same thing in other terms: an inlined helper's, a caller's.
    pub also: Vec<ExpressionIn>,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// The expression in another function's terms.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ExpressionIn {
    /// Whose terms.
    pub function: String,
    /// The expression there.
    pub text: String,
    /// The pointer there.
    pub pointer: Option<String>,
    /// The struct there.
    #[serde(rename = "struct")]
    pub record: Option<String>,
    /// The member there.
    pub member: Option<String>,
    /// Its offset.
    pub offset: Option<Hex>,
    /// File of that function's line.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
}

/// How sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Nothing else fits the evidence.
    Proved,
    /// The evidence is for it and none against.
    Likely,
    /// Worth checking.
    Possible,
}

/// One check of the expression or the image.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Check {
    /// `address`, `access`, `code-bytes`, `function-size`, `type`, `release`, `version`, `build-id`.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The figures.
    pub detail: Text,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It agrees.
    Agrees,
    /// It disagrees.
    Disagrees,
    /// It could not be made.
    Unavailable,
}

/// The bad value.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BadValue {
    /// The value.
    pub value: Hex,
    /// null, small-integer, error-pointer, list-poison, slab-poison, machine-code, ascii-text, user-pointer, kernel-pointer, kernel-text, bit-flip, tagged-pointer, integer.
    pub class: String,
    /// More: the decoded instructions, the text, the errno.
    pub detail: Text,
    /// Other readings of the value: none of them proved.
    pub readings: Vec<Text>,
    /// What it speaks for.
    pub implies: Vec<Text>,
    /// What it speaks against.
    pub rules_out: Vec<Text>,
}

/// A register.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Register {
    /// `x0`, `rax`.
    pub name: String,
    /// As printed; null where the log does not show it.
    pub printed: Option<String>,
    /// The value; null where damaged or missing.
    pub value: Option<Hex>,
    /// What the value looks like (classes of addresses and of bad values).
    pub class: Option<String>,
    /// More.
    pub detail: Option<Text>,
    /// The C expression it holds at the fault, where known.
    pub holds: Option<String>,
}

/// One step of the bad value's way, in the terms of the function that it passed through.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TrailStep {
    /// Function.
    pub function: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Module; null = the kernel image itself.
    pub module: Option<String>,
    /// What the value is called there, in C.
    pub text: String,
    /// How it got on from there: followed (the fault), loaded (from memory), handed-on (to the
    /// function below), returned (by the function called), made (there).
    pub how: String,
    /// The function compares it with NULL or looks whether it is an error before it goes on.
    pub checked: bool,
}

/// Where the bad value came from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Origin {
    /// member-store, missing-store, call-result, parameter, global, constant, code, unknown.
    pub what: String,
    /// Function.
    pub function: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Module.
    pub module: Option<String>,
    /// From an entry point down to it.
    pub call_path: Vec<String>,
    /// In words.
    pub detail: Option<Text>,
}

/// Who is to blame.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Blame {
    /// Function.
    pub function: Option<String>,
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u32>,
    /// Module; null = the kernel image itself.
    pub module: Option<String>,
    /// How sure.
    pub grade: Grade,
    /// Why.
    pub reason: Text,
}

/// A possible cause.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Hypothesis {
    /// The cause, in the contract's words.
    pub cause: String,
    /// How sure.
    pub grade: Grade,
    /// One sentence.
    pub statement: Text,
    /// Evidence for it.
    #[serde(rename = "for")]
    pub for_: Vec<Text>,
    /// Evidence against it.
    pub against: Vec<Text>,
    /// The cheapest check that would settle it.
    pub next_check: Option<NextCheck>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct NextCheck {
    /// Why.
    pub why: Text,
    /// A ready command, boot option or edit.
    pub command: String,
    /// The same question put to other tools.
    pub more: Vec<ToolCommand>,
}

/// A command for one of the tools that kernel engineers have at hand.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ToolCommand {
    /// `trace-cmd`, `drgn`, `crash`.
    pub tool: String,
    /// The command.
    pub command: String,
}

/// A loaded module.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Module {
    /// Name.
    pub name: String,
    /// Letters, `+`/`-` included.
    pub taints: String,
    /// Those letters' meanings.
    pub meanings: Vec<Text>,
    /// Why it may be involved.
    pub suspicion: Vec<Text>,
    /// Its place among the suspects, 1 the most suspected; null where it is none, or where the
    /// crash is of a kind that no other module brings about.
    pub rank: Option<u32>,
    /// How strong the suspicion is; null where there is none.
    pub grade: Option<Grade>,
    /// How its image's layout compares with the kernel's; null without both images.
    pub layout: Option<ModuleLayout>,
}

/// A module's view of the kernel that it was built against, beside the kernel's own.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ModuleLayout {
    /// The module's `vermagic`.
    pub vermagic: Option<String>,
    /// What the kernel demands; null where its image does not say.
    pub kernel_vermagic: Option<String>,
    /// Imported symbols whose checksum is not the kernel's.
    pub checksums: Vec<String>,
    /// How many structs of both images were compared.
    pub compared: u32,
    /// Those that are laid out otherwise.
    pub structs: Vec<StructDifference>,
}

/// A struct that two images lay out differently.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct StructDifference {
    /// `struct module`.
    pub name: String,
    /// Its size in the module.
    pub module_size: Hex,
    /// Its size in the kernel.
    pub kernel_size: Hex,
    /// The members that lie elsewhere.
    pub members: Vec<MemberDifference>,
}

/// A member that two images place differently.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MemberDifference {
    /// Its name.
    pub name: String,
    /// Its offset in the module; null where it is missing there.
    pub module: Option<Hex>,
    /// Its offset in the kernel; null where it is missing there.
    pub kernel: Option<Hex>,
}

/// A contradiction in the log.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Damage {
    /// 1-based line.
    pub line: u32,
    /// What.
    pub field: String,
    /// As printed.
    pub printed: String,
    /// The better value.
    pub likely: Option<String>,
    /// How sure.
    pub grade: Grade,
    /// Why.
    pub reason: Text,
}

/// An image that was offered.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ImageUse {
    /// The path or name given.
    pub name: String,
    /// Kernel, or which module; null when unreadable.
    pub kind: Option<String>,
    /// Its build-id.
    pub build_id: Option<String>,
    /// Its release.
    pub release: Option<String>,
    /// Whether conclusions rest on it.
    pub used: bool,
    /// How sure it is that this is the crash's image: proved by the build-id, likely by what else
    /// agrees, possible where little does or something speaks against it. Null for what is not used.
    pub grade: Option<Grade>,
    /// What was checked against the log: architecture, release, version, build-id, function-size,
    /// code-bytes.
    pub checks: Vec<Check>,
    /// Why it was or was not used.
    pub reason: Text,
}

/// Something that was missing.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Missing {
    /// What.
    pub what: Text,
    /// What it would add.
    pub why: Text,
    /// The command that supplies it.
    pub command: Option<String>,
    /// The `kwhy fetch` command that gets it into the cache without installing anything, where it can.
    pub fetch: Option<String>,
    /// The distribution's package that holds it.
    pub package: Option<String>,
}
