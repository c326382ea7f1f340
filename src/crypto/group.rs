//! Diffie–Hellman in the MODP groups of profile `flash` (RFC 7425 section 4.2; RFC 2409, RFC 3526), in constant time. All
//! moduli are safe primes, the generator is 2.

use std::fmt::{self, Debug};

use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{U1024, U2048, U4096, Uint, const_monty_params};
use zeroize::{Zeroize as _, Zeroizing};

use crate::base::Rng;

use super::profile::Refusal;

/// A group, as far as we can compute in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Group 2, 1,024 bits. Breakable by the rich; never offered unless a policy names it.
    Modp1024,
    /// Group 14, 2,048 bits.
    Modp2048,
    /// Group 16, 4,096 bits.
    Modp4096,
}

impl Group {
    /// The group of this number (RFC 2409, RFC 3526).
    #[must_use]
    pub const fn from_id(id: u64) -> Option<Self> {
        match id {
            2 => Some(Self::Modp1024),
            14 => Some(Self::Modp2048),
            16 => Some(Self::Modp4096),
            _ => None,
        }
    }

    /// The number of the group.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Modp1024 => 2,
            Self::Modp2048 => 14,
            Self::Modp4096 => 16,
        }
    }

    /// Bytes of a number modulo the prime.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Modp1024 => 128,
            Self::Modp2048 => 256,
            Self::Modp4096 => 512,
        }
    }

    /// Bytes of a private exponent: twice the group's strength and more, which loses nothing in a safe-prime group.
    const fn exponent_len(self) -> usize {
        match self {
            Self::Modp1024 => 28,
            Self::Modp2048 => 40,
            Self::Modp4096 => 60,
        }
    }

    pub(super) fn modulus(self) -> Vec<u8> {
        fn bytes<M: ConstMontyParams<L>, const L: usize>() -> Vec<u8> {
            M::PARAMS.modulus().to_be_bytes().as_ref().to_vec()
        }
        match self {
            Self::Modp1024 => bytes::<Prime1024, { U1024::LIMBS }>(),
            Self::Modp2048 => bytes::<Prime2048, { U2048::LIMBS }>(),
            Self::Modp4096 => bytes::<Prime4096, { U4096::LIMBS }>(),
        }
    }

    fn power(self, base: &[u8], exponent: &[u8]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Modp1024 => power::<Prime1024, { U1024::LIMBS }>(base, exponent),
            Self::Modp2048 => power::<Prime2048, { U2048::LIMBS }>(base, exponent),
            Self::Modp4096 => power::<Prime4096, { U4096::LIMBS }>(base, exponent),
        }
    }

    /// Whether a far end's public key is within the limits of RFC 7425 section 4.6.2: not near either end of the numbers
    /// modulo the prime, and neither nearly all ones nor nearly all zeros. Cheap.
    pub(super) fn check_public(self, public: &[u8]) -> Result<(), Refusal> {
        const MARGIN: usize = 3;
        const FEWEST: u32 = 16;
        let public = strip(public);
        let modulus = self.modulus();
        let bits = 8 * public.len() as u32 - public.first().map_or(0, |byte| byte.leading_zeros());
        let ones: u32 = public.iter().map(|byte| byte.count_ones()).sum();
        if public.len() <= MARGIN || public.len() > self.len() || ones < FEWEST || bits - ones < FEWEST {
            return Err(Refusal::WeakPublicKey);
        }
        // All moduli end in 64 ones, so that p − 2^24 differs from p in one bit.
        let mut limit = modulus;
        let carry = limit.len() - 1 - MARGIN;
        limit[carry] -= 1;
        let fits = public.len() < limit.len() || *public <= *limit;
        if fits { Ok(()) } else { Err(Refusal::WeakPublicKey) }
    }
}

/// A private exponent and its public key. Erased when dropped.
#[derive(Clone)]
pub(super) struct PrivateKey {
    group: Group,
    exponent: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl PrivateKey {
    /// A new key.
    pub(super) fn generate(rng: &mut Rng, group: Group) -> Self {
        let mut exponent = Zeroizing::new(vec![0; group.exponent_len()]);
        rng.fill(&mut exponent);
        exponent[0] |= 0x80;
        Self::from_exponent(group, &exponent).expect("the exponent has the length for its group")
    }

    /// The key with this exponent, if it has the length for its group.
    pub(super) fn from_exponent(group: Group, exponent: &[u8]) -> Option<Self> {
        if exponent.len() != group.exponent_len() {
            return None;
        }
        let public = strip(&group.power(&[2], exponent)).to_vec();
        Some(Self { group, exponent: Zeroizing::new(exponent.to_vec()), public })
    }

    /// The group.
    pub(super) fn group(&self) -> Group {
        self.group
    }

    /// The exponent. A secret.
    pub(super) fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The public key, big-endian without leading zero bytes.
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// The secret shared with the owner of `far_public`, big-endian without leading zero bytes.
    pub(super) fn agree(&self, far_public: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.group.check_public(far_public)?;
        let secret = self.group.power(far_public, &self.exponent);
        Ok(Zeroizing::new(strip(&secret).to_vec()))
    }
}

impl Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.group)
    }
}

fn strip(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// `base` to the power of `exponent`, in constant time but for the length of the exponent. Both are at most as long as the
/// modulus.
fn power<M: ConstMontyParams<L>, const L: usize>(base: &[u8], exponent: &[u8]) -> Zeroizing<Vec<u8>> {
    let base = ConstMontyForm::<M, L>::new(&number::<L>(strip(base)));
    let mut secret = number::<L>(exponent);
    let mut result = base.pow_amm_bounded_exp(&secret, 8 * exponent.len() as u32).retrieve();
    let bytes = Zeroizing::new(result.to_be_bytes().as_ref().to_vec());
    secret.zeroize();
    result.zeroize();
    bytes
}

fn number<const L: usize>(bytes: &[u8]) -> Uint<L> {
    let mut padded = Zeroizing::new(vec![0; Uint::<L>::BYTES]);
    let start = padded.len() - bytes.len();
    padded[start..].copy_from_slice(bytes);
    Uint::from_be_slice(&padded)
}

const_monty_params!(
    Prime1024,
    U1024,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef95\
     19b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb\
     5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff",
    "2^1024 - 2^960 - 1 + 2^64 * (floor(2^894 * pi) + 129093)"
);
const_monty_params!(
    Prime2048,
    U2048,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef95\
     19b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb\
     5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3\
     ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e8603\
     9b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffff\
     ffffffffffff",
    "2^2048 - 2^1984 - 1 + 2^64 * (floor(2^1918 * pi) + 124476)"
);
const_monty_params!(
    Prime4096,
    U4096,
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef95\
     19b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb\
     5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3\
     ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e8603\
     9b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa051015728e5a8aaac42dad33\
     170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7abf5ae8cdb0933d71e8c94e0\
     4a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200cbbe117577a615d6c770988c0bad9\
     46e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d788719a10bdba5b2699c327186af4e23c\
     1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6287c59474e6bc05d99b2964fa090c3a2233b\
     a186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa993b4ea988d8fddc186ffb7dc90a6c08f4df435c9\
     34063199ffffffffffffffff",
    "2^4096 - 2^4032 - 1 + 2^64 * (floor(2^3966 * pi) + 240904)"
);
