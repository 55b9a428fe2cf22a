//! Private keys in PEM files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::RsaKeyPair;
use zeroize::Zeroizing;

/// The RSA key of a PEM, in the form of PKCS#8 or of PKCS#1. What stands around it does not matter.
pub(crate) fn rsa(pem: &str) -> Result<RsaKeyPair, String> {
    if pem.contains("ENCRYPTED") {
        return Err(
            "holds a key behind a pass phrase, which is not asked for: write it out with `openssl pkey`"
                .to_owned(),
        );
    }
    let none = || "holds no private key".to_owned();
    let lines = pem.lines().map(str::trim);
    let lines = lines.skip_while(|line| !line.starts_with("-----BEGIN"));
    let lines = lines.skip(1).take_while(|line| !line.starts_with("-----"));
    let text: Zeroizing<String> = Zeroizing::new(lines.collect());
    let bytes = Zeroizing::new(STANDARD.decode(text.as_bytes()).map_err(|_| none())?);
    let pair = RsaKeyPair::from_pkcs8(&bytes).or_else(|_| RsaKeyPair::from_der(&bytes));
    pair.map_err(|_| none())
}
