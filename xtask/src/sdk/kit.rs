//! The vendors' SDKs: where they lie, how they are installed, how a script runs on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use interlingua_wire::Protocol;

use crate::root;

/// Where the SDKs look for keys and addresses.
const VARIABLES: [&str; 19] = [
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_PROFILE",
    "CO_API_KEY",
    "COHERE_API_KEY",
    "CO_API_URL",
    "MISTRAL_API_KEY",
    "OLLAMA_API_KEY",
    "OLLAMA_HOST",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GENAI_USE_ENTERPRISE",
];

/// A language for which the vendors write SDKs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Javascript,
}

impl Language {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Python, Self::Javascript];

    /// Whose SDKs are asked, and the protocols that each speaks. Amazon's is for Python alone.
    pub(crate) fn vendors(self) -> Vec<(&'static str, &'static [Protocol])> {
        let mut vendors: Vec<(&str, &[Protocol])> = vec![
            ("openai", &[Protocol::OpenaiChat, Protocol::OpenaiResponses]),
            ("anthropic", &[Protocol::Anthropic]),
            ("google", &[Protocol::Gemini, Protocol::GeminiInteractions]),
            ("mistral", &[Protocol::OpenaiChat]),
            ("cohere", &[Protocol::Cohere]),
            ("ollama", &[Protocol::Ollama]),
        ];
        if self == Self::Python {
            vendors.push(("bedrock", &[Protocol::Bedrock]));
        }
        vendors
    }

    /// The word for `--only`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Javascript => "javascript",
        }
    }

    const fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["python3"],
            Self::Javascript => &["node", "npm"],
        }
    }

    /// The files that decide what is installed.
    const fn pins(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["requirements.txt"],
            Self::Javascript => &["package.json", "package-lock.json", ".npmrc"],
        }
    }

    /// The tool that is needed and not there.
    pub(crate) fn missing(self) -> Option<&'static str> {
        self.tools().iter().copied().find(|tool| {
            let mut command = Command::new(tool);
            command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
            !command.status().is_ok_and(|status| status.success())
        })
    }

    /// Installs the SDKs where they are missing or were pinned anew.
    pub(crate) fn install(self) -> Result<(), String> {
        keep_installed(&self.home(), &scripts(), self.pins(), |home| match self {
            Self::Python => install_python(home),
            Self::Javascript => npm(&scripts(), home, self.pins()),
        })
    }

    /// Runs the script of a vendor with arguments and gives what it printed.
    pub(crate) fn ask(self, vendor: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(self.home().join("bin/python"));
                command.args(["-B", "-W", "ignore"]).arg(scripts().join(format!("for_{vendor}.py")));
                command
            }
            Self::Javascript => {
                self.bring_scripts()?;
                let mut command = Command::new("node");
                command.arg(self.home().join(format!("for_{vendor}.mjs")));
                command
            }
        };
        // A key or an address of the user's own environment must not reach the scripts.
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.env("NO_PROXY", "127.0.0.1").env("PYTHONIOENCODING", "utf-8");
        let output = command.args(arguments).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("{command:?} cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("the script for {vendor} in {} failed: {}", self.name(), output.status));
        }
        String::from_utf8(output.stdout).map_err(|_| "a script printed what is not UTF-8".to_owned())
    }

    /// JavaScript finds its modules beside the script alone.
    fn bring_scripts(self) -> Result<(), String> {
        let unreadable = |error: std::io::Error| format!("{}: {error}", scripts().display());
        for entry in fs::read_dir(scripts()).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "mjs") {
                bring(&path, &self.home())?;
            }
        }
        Ok(())
    }

    fn home(self) -> PathBuf {
        let place = match self {
            Self::Python => "target/sdk/venv",
            Self::Javascript => "target/sdk/node",
        };
        root().join(place)
    }
}

fn scripts() -> PathBuf {
    root().join("xtask/sdk")
}

/// The environment is made without its own pip, which not every system can put there.
fn install_python(home: &Path) -> Result<(), String> {
    must(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(home))?;
    let quiet = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    must(
        Command::new("python3")
            .args(["-m", "pip", "--python"])
            .arg(home.join("bin/python"))
            .args(quiet)
            .arg(scripts().join("requirements.txt")),
    )
}

/// Installs what `package.json` and its lock pin.
pub(crate) fn npm(from: &Path, home: &Path, pins: &[&str]) -> Result<(), String> {
    for name in pins {
        bring(&from.join(name), home)?;
    }
    let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    must(Command::new("npm").args(quiet).current_dir(home))
}

/// Installs into a folder where that is missing, or where other versions are pinned than are there.
pub(crate) fn keep_installed(
    home: &Path,
    from: &Path,
    names: &[&str],
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), String> {
    let mut pins = String::new();
    for name in names {
        pins += &fs::read_to_string(from.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    let stamp = home.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pins) {
        return Ok(());
    }
    println!("== {}: installing", home.display());
    if home.exists() {
        fs::remove_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
    }
    fs::create_dir_all(home).map_err(|error| format!("{}: {error}", home.display()))?;
    install(home)?;
    fs::write(&stamp, pins).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Copies a file into a folder.
pub(crate) fn bring(file: &Path, folder: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, folder.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// Runs a command that has to succeed.
pub(crate) fn must(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed: {status}")) }
}
