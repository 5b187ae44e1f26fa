// Philox4x32-10: random numbers that are a function of a position, not of history.
//
// A number depends on (seed, stream, position) only. Whoever computes it, in whatever order and on
// whatever thread, gets the same one; nothing has to be carried along or locked.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "unroll/index.h"

namespace unroll::base {

/// Four 32-bit numbers for a counter and a key: ten rounds of Philox.
constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                              std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// One reproducible sequence of numbers, named by (seed, stream); position i can be asked for at
/// once.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : seed_(seed), stream_(stream) {}

  /// 32 random bits at a position.
  constexpr std::uint32_t bits(std::uint64_t position) const noexcept {
    return block(position >> 2)[position & 3];
  }
  /// The bits at positions 4 i to 4 i + 3, which are made together.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t i) const noexcept {
    return philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                   static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                  {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
  }
  /// Uniform in [0, 1), 24 bits.
  constexpr double uniform(std::uint64_t position) const noexcept {
    return static_cast<double>(bits(position) >> 8) * 0x1p-24;
  }
  /// Uniform integer in [0, count). Requires: 0 < count < 2^32.
  constexpr Index below(Index count, std::uint64_t position) const noexcept {
    return static_cast<Index>(
        (static_cast<std::uint64_t>(bits(position)) * static_cast<std::uint64_t>(count)) >> 32);
  }
  /// Standard normal (Box and Muller); uses positions 2 i and 2 i + 1 of the uniform sequence.
  double normal(std::uint64_t position) const noexcept {
    const double radius = (static_cast<double>(bits(2 * position)) + 1) * 0x1p-32;
    const double angle = static_cast<double>(bits(2 * position + 1)) * 0x1p-32;
    return std::sqrt(-2 * std::log(radius)) * std::cos(2 * std::numbers::pi * angle);
  }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

/// Numbers of one sequence that are asked for one after the other: each block is made once.
class RandomRun {
 public:
  explicit constexpr RandomRun(const Random& random) noexcept : random_(random) {}

  /// Random::uniform(position).
  constexpr double uniform(std::uint64_t position) noexcept {
    if (position >> 2 != block_) {
      block_ = position >> 2;
      bits_ = random_.block(block_);
    }
    return static_cast<double>(bits_[position & 3] >> 8) * 0x1p-24;
  }

 private:
  Random random_;
  std::uint64_t block_ = ~std::uint64_t{0};
  std::array<std::uint32_t, 4> bits_{};
};

}  // namespace unroll::base
