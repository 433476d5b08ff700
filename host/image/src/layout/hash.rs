//! The hash tables through which the loader looks up symbols: it must find each that the library defines, and no end of
//! a chain may be missing.

use object::elf::{self, GnuHashHeader, HashHeader};
use object::{Endianness, U32, U64};

use super::dynamic::Dynamic;
use super::memory::{Check, LITTLE, Memory, ensure};
use super::symbols::Symbols;

type Word = U32<Endianness>;

pub(super) fn check(dynamic: &Dynamic, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Check {
    let (gnu, classic) = (dynamic.value(elf::DT_GNU_HASH), dynamic.value(elf::DT_HASH));
    ensure(gnu.or(classic).is_some(), "it has no hash table")?;
    if let Some(at) = gnu {
        is_gnu_table(at, memory, symbols).filter(|sound| *sound).ok_or("its hash table is damaged")?;
    }
    if let Some(at) = classic {
        is_table(at, memory, symbols).filter(|sound| *sound).ok_or("its hash table is damaged")?;
    }
    Ok(())
}

/// Whether the GNU hash table is right; `None` if it is not all there.
fn is_gnu_table(at: u64, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Option<bool> {
    let head = size_of::<GnuHashHeader<Endianness>>() as u64;
    let [header] = memory.records::<GnuHashHeader<Endianness>>(at, head)? else { return None };
    let [buckets, first, blooms, shift] =
        [header.bucket_count, header.symbol_base, header.bloom_count, header.bloom_shift].map(|word| word.get(LITTLE));
    let count = symbols.all.len();
    let hashed = (count as u64).checked_sub(first.into())?;
    let bloom = memory.records::<U64<Endianness>>(at + head, u64::from(blooms) * 8)?;
    let at_buckets = at + head + u64::from(blooms) * 8;
    let heads = memory.records::<Word>(at_buckets, u64::from(buckets) * 4)?;
    let values = memory.records::<Word>(at_buckets + u64::from(buckets) * 4, hashed * 4)?;
    if !blooms.is_power_of_two() || heads.is_empty() || shift >= 32 {
        return Some(false);
    }
    let mut wanted = vec![0; heads.len()];
    let mut last = None;
    for (value, index) in values.iter().zip(first..count as u32).rev() {
        let hash = elf::gnu_hash(symbols.name(&symbols.all[index as usize])?);
        let bucket = (hash % buckets) as usize;
        let bits = 1_u64 << (hash % 64) | 1_u64 << ((hash >> shift) % 64);
        let word = bloom[((hash / 64) & (blooms - 1)) as usize].get(LITTLE);
        let is_end = last != Some(bucket);
        if word & bits != bits || value.get(LITTLE) != (hash & !1) | u32::from(is_end) || is_end && wanted[bucket] != 0
        {
            return Some(false);
        }
        wanted[bucket] = index;
        last = Some(bucket);
    }
    Some(heads.iter().zip(wanted).all(|(head, wanted)| head.get(LITTLE) == wanted))
}

/// Whether the classic hash table is right; `None` if it is not all there.
fn is_table(at: u64, memory: &Memory<'_>, symbols: &Symbols<'_>) -> Option<bool> {
    let head = size_of::<HashHeader<Endianness>>() as u64;
    let [header] = memory.records::<HashHeader<Endianness>>(at, head)? else { return None };
    let (buckets, count) = (header.bucket_count.get(LITTLE), header.chain_count.get(LITTLE));
    let heads = memory.records::<Word>(at + head, u64::from(buckets) * 4)?;
    let chains = memory.records::<Word>(at + head + u64::from(buckets) * 4, u64::from(count) * 4)?;
    if heads.is_empty() || chains.len() != symbols.all.len() {
        return Some(false);
    }
    let mut found = vec![false; chains.len()];
    for (head, bucket) in heads.iter().zip(0..) {
        let mut index = head.get(LITTLE) as usize;
        while index != 0 {
            let name = symbols.name(symbols.all.get(index)?)?;
            // One that is met twice is in a circle.
            if std::mem::replace(found.get_mut(index)?, true) || elf::hash(name) % buckets != bucket {
                return Some(false);
            }
            index = chains[index].get(LITTLE) as usize;
        }
    }
    let mut others = (1..found.len()).filter(|index| !found[*index]);
    Some(others.all(|index| !symbols.is_defined(index) || symbols.all[index].st_bind() == elf::STB_LOCAL))
}
