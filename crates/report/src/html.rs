//! The face for a browser: one page that loads nothing and runs nothing.

use crate::doc::{Block, Inline, Item, Table, Tone};
use crate::layout;
use kwhy_base::Lang;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}\
pre,code{font-family:ui-monospace,monospace;font-size:13px}pre{overflow-x:auto;background:#8881;padding:.7em}\
table{border-collapse:collapse}td,th{padding:.1em 1em .1em 0;text-align:left;vertical-align:top}\
h2{border-bottom:1px solid #8885;margin-top:1.6em}.good{color:#08731f}.bad{color:#b3081b;font-weight:bold}\
.weak{opacity:.7}@media(prefers-color-scheme:dark){body{background:#16181c;color:#dfe2e7}.good{color:#62c97b}.bad{color:#ff7b86}}";

/// The document as a page.
pub(crate) fn render(blocks: &[Block], lang: Lang) -> String {
    let title = blocks
        .iter()
        .find_map(|block| match block {
            Block::Title(title) => Some(title.0.iter().map(|span| span.text.as_str()).collect::<String>()),
            _ => None,
        })
        .unwrap_or_else(|| "kwhy".to_owned());
    let code = match lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n",
        escape(&title)
    );
    write(&mut out, blocks);
    out.push_str("</body>\n</html>\n");
    out
}

fn write(out: &mut String, blocks: &[Block]) {
    for block in blocks {
        match block {
            Block::Title(title) => out.push_str(&format!("<h1>{}</h1>\n", inline(title))),
            Block::Heading(text) => out.push_str(&format!("<h2>{}</h2>\n", escape(text))),
            Block::Subheading(text) => out.push_str(&format!("<h3>{}</h3>\n", escape(text))),
            Block::Paragraph(text) => out.push_str(&format!("<p>{}</p>\n", inline(text))),
            Block::Facts(facts) => {
                out.push_str("<table>\n");
                for (key, value) in facts {
                    out.push_str(&format!(
                        "<tr><th class=\"weak\">{}</th><td>{}</td></tr>\n",
                        escape(key),
                        inline(value)
                    ));
                }
                out.push_str("</table>\n");
            }
            Block::Table(rows) => table(out, rows),
            Block::List { ordered, items } => list(out, *ordered, items),
            Block::Listing(lines) => {
                out.push_str("<pre>");
                for line in layout::listing(lines, None) {
                    // In fixed width nothing but tone is shown: the layout has aligned the rest.
                    for span in &line.0 {
                        out.push_str(&toned(&span.text, span.tone));
                    }
                    out.push('\n');
                }
                out.push_str("</pre>\n");
            }
            Block::Command(command) => out.push_str(&format!("<pre>{}</pre>\n", escape(command))),
        }
    }
}

fn table(out: &mut String, table: &Table) {
    out.push_str("<table>\n");
    if !table.header.is_empty() {
        let cells: String =
            table.header.iter().map(|h| format!("<th class=\"weak\">{}</th>", escape(h))).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    for row in &table.rows {
        let cells: String = row.iter().map(|cell| format!("<td>{}</td>", inline(cell))).collect();
        out.push_str(&format!("<tr>{cells}</tr>\n"));
    }
    out.push_str("</table>\n");
}

fn list(out: &mut String, ordered: bool, items: &[Item]) {
    let tag = if ordered { "ol" } else { "ul" };
    out.push_str(&format!("<{tag}>\n"));
    for item in items {
        out.push_str(&format!("<li>{}\n", inline(&item.text)));
        write(out, &item.below);
        out.push_str("</li>\n");
    }
    out.push_str(&format!("</{tag}>\n"));
}

fn inline(inline: &Inline) -> String {
    inline
        .0
        .iter()
        .map(|span| match span.tone {
            Tone::Code | Tone::Quoted => format!("<code>{}</code>", escape(&span.text)),
            tone => toned(&span.text, tone),
        })
        .collect()
}

fn toned(text: &str, tone: Tone) -> String {
    let text = escape(text);
    match tone {
        Tone::Plain | Tone::Code | Tone::Quoted => text,
        Tone::Strong => format!("<b>{text}</b>"),
        Tone::Good => format!("<span class=\"good\">{text}</span>"),
        Tone::Bad => format!("<span class=\"bad\">{text}</span>"),
        Tone::Weak => format!("<span class=\"weak\">{text}</span>"),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
