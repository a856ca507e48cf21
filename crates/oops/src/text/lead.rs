//! What else stands on a console before the kernel begins to print: login prompts, shells' prompts
//! and names of hosts.

/// `debian login: `.
pub(super) fn login(rest: &str) -> Option<usize> {
    let head = rest.as_bytes().get(..48).unwrap_or(rest.as_bytes());
    let at = memchr::memmem::find(head, b" login: ")?;
    (!head.get(..at)?.contains(&b' ')).then_some(at + 8)
}

/// Whether `text`, which stands before a line's first timestamp, is nothing that the kernel
/// printed: a prompt, or the name of who sent the line.
pub(super) fn is_lead(text: &str) -> bool {
    /// Prompts are short.
    const LONGEST: usize = 96;
    let trimmed = text.trim();
    if trimmed.len() > LONGEST {
        return false;
    }
    let Some(last) = trimmed.chars().next_back() else { return true };
    match last {
        '#' | '$' | '%' | '>' | '|' | '~' => !trimmed.starts_with('<'),
        ':' => {
            let name = trimmed.strip_suffix(':').unwrap_or(trimmed);
            // `host1:`, `web-3.example.org:`; the kernel's own words before a colon begin with a
            // capital letter or hold no digit, dot or hyphen.
            trimmed.ends_with("login:")
                || trimmed.ends_with("assword:")
                || name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._@".contains(&b))
                    && name.bytes().any(|b| b.is_ascii_digit() || b"-.@".contains(&b))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        for text in
            ["", " ", "debian login: ", "Password:", "root@host:~# ", "/ # ", "=> ", "host1: ", "web-3 | "]
        {
            assert!(is_lead(text), "{text}");
        }
        for text in ["Call Trace:", "<TASK>", "RIP: 0010:a", "Code: 90", "Modules linked in:", "rcu:", "x"] {
            assert!(!is_lead(text), "{text}");
        }
        assert_eq!(login("debian login: x"), Some(14));
        assert_eq!(login("no such login: x"), None);
    }
}
