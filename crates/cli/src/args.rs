//! The command line. Help, man page, completions and `docs/cli.md` are generated from it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Why did this Linux kernel crash?
///
/// Reads a console log with a kernel crash in it, and the vmlinux and modules that belong to it
/// where they are at hand, and says what faulted, which C expression it was, and what the
/// evidence is.
#[derive(Debug, Parser)]
#[command(
    name = "kwhy",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 a cause was found · 1 analysed but undetermined, or no crash in the input · \
                  2 usage or unreadable input · 3 internal error"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub explain: ExplainArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain each crash of a log (what `kwhy LOG` does)
    Explain(ExplainArgs),
    /// Decode a syndrome, a flags register, taints or an address
    Decode(DecodeArgs),
    /// Show a function's instructions between its source lines
    Disasm(DisasmArgs),
    /// Show a struct's layout, or what lies at an offset of it
    Type(TypeArgs),
    /// Show every place that writes a member, and how the kernel gets there
    Writers(WritersArgs),
    /// Show the calls that lead from one function to another
    Path(PathArgs),
    /// Get a kernel's debug information into the cache
    Fetch(FetchArgs),
    /// Show or clean what was kept of what was learned and fetched
    Cache(CacheArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// Console log, or `-` for standard input (which is the default when it is piped)
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// vmlinux, module .ko (with or without DWARF), or a folder searched for both; repeatable
    #[arg(short, long = "image", value_name = "PATH")]
    pub images: Vec<PathBuf>,
    /// Kernel or module source tree, for source lines; repeatable
    #[arg(short, long = "source", value_name = "DIR")]
    pub sources: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Keep reading; report each crash as soon as it is complete
    #[arg(short = 'F', long)]
    pub follow: bool,
    /// Never touch the network (only `kwhy fetch` does; accepted so that scripts can insist)
    #[arg(long)]
    pub offline: bool,
}

/// How and where the answer is written.
#[derive(Args, Clone, Debug)]
pub struct OutputArgs {
    /// How the answer is written
    #[arg(short, long, value_enum, default_value_t = FormatArg::Text)]
    pub format: FormatArg,
    /// Language of prose [default: Chinese where the locale is, else English]
    #[arg(long, value_enum)]
    pub lang: Option<LangArg>,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For a terminal
    Text,
    /// For an issue or a mail
    Markdown,
    /// One self-contained page
    Html,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// English
    En,
    /// Chinese
    Zh,
}

#[derive(Args, Debug)]
pub struct DecodeArgs {
    /// What VALUE is
    #[arg(value_enum)]
    pub kind: KindArg,
    /// Hexadecimal, with or without 0x; for taints also decimal or letters
    #[arg(allow_hyphen_values = true)]
    pub value: String,
    /// The CPU it comes from, where that changes the meaning: arm64, x86_64
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// ARM64 exception syndrome, ESR_EL1
    Esr,
    /// x86 page-fault error code
    Pf,
    /// Kernel taints: the mask of /proc/sys/kernel/tainted, or letters
    Taint,
    /// ARM64 PSTATE
    Pstate,
    /// x86 EFLAGS
    Eflags,
    /// An address, or any value that was taken for one
    Addr,
}

#[derive(Args, Debug)]
pub struct DisasmArgs {
    /// The function; with an offset, the instruction there is marked
    #[arg(value_name = "FUNCTION[+OFF]")]
    pub function: String,
    /// vmlinux or module .ko; repeatable
    #[arg(short, long = "image", value_name = "PATH", required = true)]
    pub images: Vec<PathBuf>,
    /// Source tree, for source lines; repeatable
    #[arg(short, long = "source", value_name = "DIR")]
    pub sources: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Args, Debug)]
pub struct TypeArgs {
    /// `struct module`, `union …`, `enum …` or a typedef's name
    #[arg(value_name = "TYPE")]
    pub name: String,
    /// Only what lies at this offset (hexadecimal with 0x, else decimal)
    #[arg(long, value_name = "OFF", conflicts_with = "member")]
    pub at: Option<String>,
    /// Only this member: `name`, or a path such as `mkobj.kobj`
    #[arg(long, value_name = "NAME")]
    pub member: Option<String>,
    /// vmlinux or module .ko; repeatable
    #[arg(short, long = "image", value_name = "PATH", required = true)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Args, Debug)]
pub struct WritersArgs {
    /// The member: `struct module_use.target`, `struct module.mkobj.kobj`
    #[arg(value_name = "TYPE.MEMBER")]
    pub member: String,
    /// vmlinux or module .ko; repeatable
    #[arg(short, long = "image", value_name = "PATH", required = true)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Args, Debug)]
pub struct PathArgs {
    /// The function that the path starts from
    #[arg(value_name = "FUNCTION")]
    pub from: String,
    /// The function that it leads to
    #[arg(value_name = "FUNCTION")]
    pub to: String,
    /// vmlinux or module .ko; repeatable
    #[arg(short, long = "image", value_name = "PATH", required = true)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Nothing is installed: what is fetched goes into the cache, where every later run finds it. What
/// is at hand already is not fetched again. Exits with 1 when something is still missing.
#[derive(Args, Debug)]
pub struct FetchArgs {
    /// A crash log, `-`, or a kernel release [default: the release of the running kernel]
    #[arg(value_name = "RELEASE|LOG")]
    pub what: Option<PathBuf>,
    /// vmlinux, module .ko, or a folder, if they are at hand already; repeatable
    #[arg(short, long = "image", value_name = "PATH")]
    pub images: Vec<PathBuf>,
    /// Only say what is at hand and which command would supply the rest
    #[arg(long, visible_alias = "dry-run")]
    pub offline: bool,
    /// Be content with what boots: the boot image and stripped modules, a tenth of the size
    #[arg(long)]
    pub bare: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Args, Debug)]
pub struct CacheArgs {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// Show what is kept
    List(ListArgs),
    /// Remove what is kept
    Clean(CleanArgs),
}

#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Args, Debug)]
pub struct CleanArgs {
    /// Only entries of this kind
    #[arg(long, value_enum)]
    pub kind: Option<CacheKindArg>,
    /// Only entries that were not used for so many days
    #[arg(long, value_name = "DAYS")]
    pub unused: Option<u32>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CacheKindArg {
    /// What was learned about images
    Index,
    /// Images
    Image,
    /// Parts of images whose download broke off
    Partial,
    /// Distributions' packages and their lists
    Packages,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

impl Cli {
    /// The output options of whichever command was given.
    pub fn output(&self) -> &OutputArgs {
        match &self.command {
            Some(Command::Explain(args)) => &args.output,
            Some(Command::Decode(args)) => &args.output,
            Some(Command::Disasm(args)) => &args.output,
            Some(Command::Type(args)) => &args.output,
            Some(Command::Writers(args)) => &args.output,
            Some(Command::Path(args)) => &args.output,
            Some(Command::Fetch(args)) => &args.output,
            Some(Command::Cache(CacheArgs { command: CacheCommand::List(args) })) => &args.output,
            Some(Command::Cache(CacheArgs { command: CacheCommand::Clean(args) })) => &args.output,
            Some(Command::Completions(_) | Command::Man) | None => &self.explain.output,
        }
    }
}
