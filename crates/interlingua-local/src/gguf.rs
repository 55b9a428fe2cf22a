//! Reading the GGUF container: metadata and the table of tensors.
//!
//! The layout is that of the [GGUF specification](https://github.com/ggml-org/ggml/blob/master/docs/gguf.md),
//! versions 2 and 3, little-endian. Every length in the file is checked against the bytes that are left before
//! anything is allocated, so a damaged file costs an error and never memory or a panic.

use std::collections::HashMap;
use std::io::{BufReader, Read, Seek, SeekFrom};

use crate::error::Error;
use crate::format::Format;

const MAGIC: [u8; 4] = *b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_DIMENSIONS: u32 = 4;

/// One value of the metadata; the widths of numbers do not matter to a reader.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Texts(Vec<Box<str>>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
}

/// Where a tensor lies and how its numbers are stored.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    /// Sizes with the contiguous one first, as the file has them.
    pub(crate) dimensions: Vec<usize>,
    pub(crate) format: Format,
    /// Absolute position in the file.
    position: u64,
}

impl Tensor {
    /// Numbers in one row (the contiguous dimension).
    pub(crate) fn columns(&self) -> usize {
        self.dimensions.first().copied().unwrap_or(1)
    }

    /// Rows of all the other dimensions together.
    pub(crate) fn rows(&self) -> usize {
        self.dimensions.iter().skip(1).product()
    }

    pub(crate) fn row_bytes(&self) -> usize {
        let (numbers, bytes) = self.format.block();
        self.columns() / numbers * bytes
    }
}

/// An opened GGUF file.
#[derive(Debug)]
pub(crate) struct Gguf<R> {
    reader: R,
    metadata: HashMap<String, Value>,
    tensors: HashMap<String, Tensor>,
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads the header and checks that every tensor lies inside of the file.
    pub(crate) fn read(mut source: R) -> Result<Self, Error> {
        let length = source.seek(SeekFrom::End(0))?;
        source.rewind()?;
        let mut header = Header { reader: BufReader::new(source), length, position: 0 };
        header.magic()?;
        let tensor_count = header.count(8 + 4 + 4 + 8)?;
        let value_count = header.count(8 + 4 + 1)?;
        let mut metadata = HashMap::new();
        for _ in 0..value_count {
            let key = header.text()?;
            let kind = header.u32()?;
            metadata.insert(key, header.value(kind)?);
        }
        let mut tensors = HashMap::new();
        for _ in 0..tensor_count {
            let (name, tensor) = header.tensor()?;
            tensors.insert(name, tensor);
        }
        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(Value::Integer(alignment @ 1..=0x10_0000)) => alignment.unsigned_abs(),
            Some(_) => return Err(Error::damaged("general.alignment is not a sensible number")),
        };
        let start = header.position.next_multiple_of(alignment);
        for (name, tensor) in &mut tensors {
            place(name, tensor, start, length)?;
        }
        Ok(Self { reader: header.reader.into_inner(), metadata, tensors })
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn integer(&self, key: &str) -> Option<usize> {
        match self.value(key)? {
            Value::Integer(number) => usize::try_from(*number).ok(),
            // Some converters write one number per layer where all are the same.
            Value::Integers(numbers) => {
                let first = *numbers.first()?;
                numbers.iter().all(|number| *number == first).then(|| usize::try_from(first).ok())?
            }
            _ => None,
        }
    }

    pub(crate) fn float(&self, key: &str) -> Option<f32> {
        match self.value(key)? {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "written as 32-bit floats by every converter"
            )]
            Value::Float(number) => Some(*number as f32),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn texts(&self, key: &str) -> Option<&[Box<str>]> {
        match self.value(key)? {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// A tensor that must be there and have this size.
    pub(crate) fn require(&self, name: &str, rows: usize, columns: usize) -> Result<Tensor, Error> {
        let tensor =
            self.tensors.get(name).ok_or_else(|| Error::damaged(format!("tensor {name} is missing")))?;
        if tensor.rows() != rows || tensor.columns() != columns {
            let shape = format!("{}x{}", tensor.rows(), tensor.columns());
            return Err(Error::damaged(format!(
                "tensor {name} is {shape} where {rows}x{columns} is expected"
            )));
        }
        Ok(tensor.clone())
    }

    /// A one-dimensional tensor as floats.
    pub(crate) fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.require(name, 1, length)?;
        let bytes = self.rows(&tensor, 0, 1)?;
        Ok(tensor.format.floats(&bytes))
    }

    /// The bytes of `count` rows of a tensor, beginning with `first`.
    pub(crate) fn rows(&mut self, tensor: &Tensor, first: usize, count: usize) -> Result<Vec<u8>, Error> {
        let width = tensor.row_bytes();
        let start = tensor.position.saturating_add(first.saturating_mul(width) as u64);
        let mut bytes = vec![0; count.saturating_mul(width)];
        self.reader.seek(SeekFrom::Start(start))?;
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Turns an offset into the data section into a checked position in the file.
fn place(name: &str, tensor: &mut Tensor, start: u64, length: u64) -> Result<(), Error> {
    let columns = tensor.columns();
    if columns == 0 || tensor.rows() == 0 || !columns.is_multiple_of(tensor.format.block().0) {
        return Err(Error::damaged(format!("the shape of tensor {name} does not fit its format")));
    }
    let bytes = tensor.rows().checked_mul(tensor.row_bytes()).and_then(|bytes| u64::try_from(bytes).ok());
    let position = tensor.position.checked_add(start);
    let end = position.zip(bytes).and_then(|(position, bytes)| position.checked_add(bytes));
    match (position, end) {
        (Some(position), Some(end)) if end <= length => {
            tensor.position = position;
            Ok(())
        }
        (_, end) => Err(Error::truncated(length, end)),
    }
}

/// Reads the front of the file and knows how much of it is left.
struct Header<R> {
    reader: BufReader<R>,
    length: u64,
    position: u64,
}

impl<R: Read> Header<R> {
    fn magic(&mut self) -> Result<(), Error> {
        if self.length < 24 || self.bytes::<4>()? != MAGIC {
            return Err(Error::not_gguf());
        }
        match self.u32()? {
            2 | 3 => Ok(()),
            version => Err(Error::damaged(format!("GGUF version {version} is not 2 or 3"))),
        }
    }

    fn left(&self) -> u64 {
        self.length.saturating_sub(self.position)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        if self.left() < N as u64 {
            return Err(Error::truncated(self.length, None));
        }
        self.reader.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A number of items that take at least `size` bytes each.
    fn count(&mut self, size: u64) -> Result<usize, Error> {
        let count = self.u64()?;
        if count.saturating_mul(size) > self.left() {
            return Err(Error::truncated(self.length, None));
        }
        usize::try_from(count).map_err(|_| Error::truncated(self.length, None))
    }

    fn text(&mut self) -> Result<String, Error> {
        let length = self.count(1)?;
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes)?;
        self.position += length as u64;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn value(&mut self, kind: u32) -> Result<Value, Error> {
        Ok(match kind {
            6 | 12 => Value::Float(self.float(kind)?),
            7 => Value::Bool(self.bytes::<1>()? != [0]),
            8 => Value::Text(self.text()?),
            9 => self.array()?,
            _ => Value::Integer(self.number(kind)?),
        })
    }

    fn array(&mut self) -> Result<Value, Error> {
        let kind = self.u32()?;
        Ok(match kind {
            8 => {
                let count = self.count(8)?;
                Value::Texts(
                    (0..count).map(|_| self.text().map(String::into_boxed_str)).collect::<Result<_, _>>()?,
                )
            }
            6 | 12 => {
                let count = self.count(4)?;
                #[expect(clippy::cast_possible_truncation, reason = "scores and factors are 32-bit floats")]
                let float = |_| self.float(kind).map(|float| float as f32);
                Value::Floats((0..count).map(float).collect::<Result<_, _>>()?)
            }
            9 => return Err(Error::damaged("arrays of arrays are not expected in the metadata")),
            _ => {
                let count = self.count(1)?;
                Value::Integers((0..count).map(|_| self.number(kind)).collect::<Result<_, _>>()?)
            }
        })
    }

    fn float(&mut self, kind: u32) -> Result<f64, Error> {
        if kind == 6 {
            return Ok(f32::from_le_bytes(self.bytes()?).into());
        }
        Ok(f64::from_le_bytes(self.bytes()?))
    }

    fn number(&mut self, kind: u32) -> Result<i64, Error> {
        Ok(match kind {
            0 | 7 => u8::from_le_bytes(self.bytes()?).into(),
            1 => i8::from_le_bytes(self.bytes()?).into(),
            2 => u16::from_le_bytes(self.bytes()?).into(),
            3 => i16::from_le_bytes(self.bytes()?).into(),
            4 => u32::from_le_bytes(self.bytes()?).into(),
            5 => i32::from_le_bytes(self.bytes()?).into(),
            10 => i64::try_from(self.u64()?).unwrap_or(i64::MAX),
            11 => i64::from_le_bytes(self.bytes()?),
            kind => return Err(Error::damaged(format!("the metadata has a value of unknown type {kind}"))),
        })
    }

    fn tensor(&mut self) -> Result<(String, Tensor), Error> {
        let name = self.text()?;
        let count = self.u32()?;
        if count == 0 || count > MAX_DIMENSIONS {
            return Err(Error::damaged(format!("tensor {name} has {count} dimensions")));
        }
        let mut dimensions = Vec::new();
        let mut elements = 1_usize;
        for _ in 0..count {
            let size = usize::try_from(self.u64()?).ok();
            let size = size.filter(|size| size.checked_mul(elements).is_some_and(|all| all < usize::MAX / 8));
            let size = size.ok_or_else(|| Error::damaged(format!("tensor {name} is too large")))?;
            elements *= size.max(1);
            dimensions.push(size);
        }
        let format = Format::new(self.u32()?, &name)?;
        Ok((name, Tensor { dimensions, format, position: self.u64()? }))
    }
}
