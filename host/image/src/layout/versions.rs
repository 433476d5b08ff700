//! The versions of symbols: those that the library needs of others, those that it defines, and which symbol has which.

use std::collections::BTreeSet;

use object::Endianness;
use object::elf::{self, Verdaux, Verdef, Vernaux, Verneed};
use object::{Pod, U16};

use super::dynamic::Dynamic;
use super::memory::{Check, LITTLE, Memory, ensure};
use super::symbols::Symbols;

/// The first number that is not the loader's own: 0 is local, 1 is global.
const FIRST: u16 = 2;
const HIDDEN: u16 = 0x8000;

pub(super) fn check(dynamic: &Dynamic, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Check {
    let needed = needed(dynamic, memory, symbols).ok_or("the versions that it needs are damaged")?;
    let defined = defined(dynamic, memory, symbols).ok_or("the versions that it defines are damaged")?;
    let Some(at) = dynamic.value(elf::DT_VERSYM) else { return Ok(()) };
    let size = symbols.all.len() * size_of::<u16>();
    let numbers = memory.records::<U16<Endianness>>(at, size as u64).ok_or("its versions are misplaced")?;
    for (index, number) in numbers.iter().enumerate() {
        let number = number.get(LITTLE);
        let known = if symbols.is_defined(index) { &defined } else { &needed };
        let is_known = number & !HIDDEN < FIRST || known.contains(&(number & !HIDDEN));
        ensure(is_known, "a symbol has a version that does not exist")?;
    }
    Ok(())
}

/// The numbers of the versions that it needs; `None` if something is wrong with them.
fn needed(dynamic: &Dynamic, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Option<BTreeSet<u16>> {
    let mut numbers = BTreeSet::new();
    let Some(mut at) = dynamic.value(elf::DT_VERNEED) else { return Some(numbers) };
    let libraries: Option<BTreeSet<_>> = dynamic.needed().map(|name| symbols.text(name)).collect();
    let libraries = libraries?;
    for left in (0..dynamic.value(elf::DT_VERNEEDNUM)?).rev() {
        let file = record::<Verneed<Endianness>>(memory, at)?;
        // The loader looks for it among those that it has loaded, and ends the process if it is not there.
        let is_loaded = libraries.contains(&symbols.text(file.vn_file.get(LITTLE).into())?);
        let mut version_at = at.checked_add(file.vn_aux.get(LITTLE).into())?;
        for left in (0..file.vn_cnt.get(LITTLE)).rev() {
            let version = record::<Vernaux<Endianness>>(memory, version_at)?;
            let name = symbols.text(version.vna_name.get(LITTLE).into())?;
            let is_new = numbers.insert(version.vna_other.get(LITTLE).0 & !HIDDEN);
            if !is_new || version.vna_hash.get(LITTLE) != elf::hash(name) {
                return None;
            }
            version_at = next(version_at, version.vna_next.get(LITTLE), left > 0)?;
        }
        if !is_loaded || file.vn_version.get(LITTLE) != elf::VER_NEED_CURRENT {
            return None;
        }
        at = next(at, file.vn_next.get(LITTLE), left > 0)?;
    }
    Some(numbers)
}

/// The numbers of the versions that it defines; `None` if something is wrong with them.
fn defined(dynamic: &Dynamic, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Option<BTreeSet<u16>> {
    let mut numbers = BTreeSet::new();
    let Some(mut at) = dynamic.value(elf::DT_VERDEF) else { return Some(numbers) };
    for left in (0..dynamic.value(elf::DT_VERDEFNUM)?).rev() {
        let version = record::<Verdef<Endianness>>(memory, at)?;
        let name = record::<Verdaux<Endianness>>(memory, at.checked_add(version.vd_aux.get(LITTLE).into())?)?;
        let name = symbols.text(name.vda_name.get(LITTLE).into())?;
        let is_new = numbers.insert(version.vd_ndx.get(LITTLE).0 & !HIDDEN);
        if !is_new
            || version.vd_hash.get(LITTLE) != elf::hash(name)
            || version.vd_version.get(LITTLE) != elf::VER_DEF_CURRENT
        {
            return None;
        }
        at = next(at, version.vd_next.get(LITTLE), left > 0)?;
    }
    Some(numbers)
}

fn record<'a, T: Pod>(memory: &Memory<'a>, at: u64) -> Option<&'a T> {
    memory.records::<T>(at, size_of::<T>() as u64)?.first()
}

/// Where the next record is, if there is one: as far on as this one says. The last one says 0.
fn next(at: u64, distance: u32, is_there: bool) -> Option<u64> {
    let is_right = (distance > 0) == is_there;
    at.checked_add(distance.into()).filter(|_| is_right)
}
