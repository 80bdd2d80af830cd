//! A case file: `# Title`, a sentence with the clause of the standard, and fenced blocks named by language and role:
//! `hl7 in`, `hl7 out`, `json exchange`, `text findings`, `toml config`. Several titles in a file are several cases.
//! Blocks run in order; an `out`, `exchange` or `findings` speaks of the `in` before it. Words after `in` say how the text
//! becomes bytes: `hl7 in gb18030 lf`.

/// What a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Configuration of the gateway, before anything is sent.
    Config,
    /// What is sent.
    In,
    /// The next reply. An empty block says that there is none.
    Out,
    /// What must be in the FHIR.
    Exchange,
    /// One line a finding: severity, place, code.
    Findings,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The language: `hl7`, `json`, `toml`, `text`.
    pub language: String,
    /// What it is for.
    pub role: Role,
    /// How it becomes bytes: the label of a character set, `lf` or `crlf`; empty: UTF-8, and what the format is used to.
    pub how: Vec<String>,
    /// What it holds, line ends as `\n`, without the last.
    pub text: String,
    /// Line of the opening fence, from 1.
    pub line: usize,
    /// Range of the text in the file, for rewriting.
    pub range: std::ops::Range<usize>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its title.
    pub title: String,
    /// Line of the title, from 1.
    pub line: usize,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

/// Why a file is no case file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct CaseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Case {
    /// The configuration, empty when the case has none.
    pub fn config(&self) -> &str {
        self.blocks
            .iter()
            .find(|block| block.role == Role::Config)
            .map_or("", |block| &block.text)
    }

    /// Reads a case file.
    ///
    /// # Errors
    /// A block without a known role or an end, a block before the first title, a case that sends nothing.
    pub fn read(text: &str) -> Result<Vec<Self>, CaseError> {
        let mut reader = Reader {
            cases: Vec::new(),
            open: None,
        };
        let mut start = 0;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            reader.line(line, index + 1, start)?;
            start += line.len();
        }
        reader.end()
    }
}

struct Reader {
    cases: Vec<Case>,
    open: Option<Block>,
}

impl Reader {
    fn line(&mut self, raw: &str, number: usize, start: usize) -> Result<(), CaseError> {
        let line = raw.trim_end_matches(['\n', '\r']);
        if let Some(block) = &mut self.open {
            if line.starts_with("```") {
                return self.close();
            }
            if !block.text.is_empty() || block.range.end > block.range.start {
                block.text.push('\n');
            }
            block.text.push_str(line);
            block.range.end = start + raw.len();
            return Ok(());
        }
        if let Some(title) = line.strip_prefix("# ") {
            self.cases.push(Case {
                title: title.trim().to_owned(),
                line: number,
                blocks: Vec::new(),
            });
        } else if let Some(info) = line.strip_prefix("```") {
            self.open = Some(block(info, number, start + raw.len())?);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), CaseError> {
        let Some(block) = self.open.take() else { return Ok(()) };
        let line = block.line;
        let case = self.cases.last_mut();
        let case = case.ok_or_else(|| CaseError {
            line,
            reason: "a block before the first title".to_owned(),
        })?;
        case.blocks.push(block);
        Ok(())
    }

    fn end(self) -> Result<Vec<Case>, CaseError> {
        if let Some(block) = self.open {
            return Err(CaseError {
                line: block.line,
                reason: "a block without an end".to_owned(),
            });
        }
        let silent = self
            .cases
            .iter()
            .find(|case| case.blocks.iter().all(|block| block.role != Role::In));
        match silent {
            Some(case) => Err(CaseError {
                line: case.line,
                reason: format!("{:?} sends nothing", case.title),
            }),
            None => Ok(self.cases),
        }
    }
}

fn block(info: &str, line: usize, start: usize) -> Result<Block, CaseError> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let role = match words.next().unwrap_or_default() {
        "config" => Role::Config,
        "in" => Role::In,
        "out" => Role::Out,
        "exchange" => Role::Exchange,
        "findings" => Role::Findings,
        other => {
            let reason = format!("{other:?} is no role; roles are config, in, out, exchange, findings");
            return Err(CaseError { line, reason });
        }
    };
    Ok(Block {
        language: language.to_owned(),
        role,
        how: words.map(str::to_owned).collect(),
        text: String::new(),
        line,
        range: start..start,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_by_role() {
        let text =
            "# One\nA sentence.\n\n```hl7 in\nMSH|a\n\nPID|b\n```\n\n```hl7 out\n```\n# Two\n```hl7 in\nMSH|\n```\n";
        let cases = Case::read(text).unwrap();
        assert_eq!(cases.len(), 2);
        let first = &cases[0].blocks;
        assert_eq!(
            (first[0].role, first[0].text.as_str(), first[0].line),
            (Role::In, "MSH|a\n\nPID|b", 4)
        );
        assert_eq!(text.get(first[0].range.clone()), Some("MSH|a\n\nPID|b\n"));
        assert_eq!((first[1].role, first[1].text.as_str()), (Role::Out, ""));
    }

    #[test]
    fn words_after_the_role_say_how() {
        let cases = Case::read("# A\n```hl7 in gb18030 lf\nMSH|\n```\n```hl7 out\n```\n").unwrap();
        assert_eq!(cases[0].blocks[0].how, ["gb18030", "lf"]);
        assert!(cases[0].blocks[1].how.is_empty());
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |text| Case::read(text).unwrap_err().to_string();
        assert_eq!(
            wrong("# A\n```hl7 inn\n"),
            "line 2: \"inn\" is no role; roles are config, in, out, exchange, findings"
        );
        assert_eq!(wrong("# A\n```hl7 in\nx"), "line 2: a block without an end");
        assert_eq!(wrong("```hl7 in\n```\n"), "line 1: a block before the first title");
        assert_eq!(wrong("# A\ntext"), "line 1: \"A\" sends nothing");
    }
}
