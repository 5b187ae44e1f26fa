// Choosing one of many by their logits.
#include <algorithm>
#include <cmath>

#include "src/base/random.h"
#include "src/tasks/options.h"
#include "unroll/error.h"
#include "unroll/language.h"

namespace unroll {

namespace {

constexpr std::uint64_t stream = 0x73616D706C65;  // "sample": apart from what training draws

void check(const SamplingOptions& o) {
  const char* const who = "Sampler";
  const auto number = [&](const char* name, double value, bool inside, const char* want) {
    tasks::check_number(who, name, value, inside, want);
  };
  number("repetition_penalty", o.repetition_penalty,
         o.repetition_penalty >= 1 && std::isfinite(o.repetition_penalty), "1 or more");
  number("temperature", o.temperature, o.temperature >= 0 && std::isfinite(o.temperature),
         "0 or more");
  number("top_p", o.top_p, o.top_p > 0 && o.top_p <= 1, "above 0 and at most 1");
  number("min_p", o.min_p, o.min_p >= 0 && o.min_p <= 1, "from 0 to 1");
  tasks::check_count(who, "penalized", o.penalized, 0, 1'000'000);
  tasks::check_count(who, "top_k", o.top_k, 0, 1'000'000'000);
}

}  // namespace

Sampler::Sampler(const SamplingOptions& options) : options_(options) { check(options); }

void Sampler::saw(std::int32_t id) {
  if (options_.repetition_penalty == 1 || options_.penalized == 0) return;
  if (static_cast<Index>(recent_.size()) >= options_.penalized) recent_.erase(recent_.begin());
  recent_.push_back(id);
}

/// Source: Keskar et al., "CTRL", 2019: what is likely becomes less so, once however often it came.
void Sampler::penalize() {
  for (std::size_t i = 0; i < recent_.size(); ++i) {
    const auto id = static_cast<std::size_t>(recent_[i]);
    const bool done = std::find(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(i),
                                recent_[i]) != recent_.begin() + static_cast<std::ptrdiff_t>(i);
    if (done || id >= p_.size()) continue;
    p_[id] =
        p_[id] > 0 ? p_[id] / options_.repetition_penalty : p_[id] * options_.repetition_penalty;
  }
}

void Sampler::forbid() {
  for (const std::int32_t id : options_.never) {
    // Far below every logit, and yet a number.
    if (id >= 0 && static_cast<std::size_t>(id) < p_.size())
      p_[static_cast<std::size_t>(id)] = -1e30;
  }
}

/// Leaves in p_ what top_k, top_p and min_p let through.
/// Source: top_k: Fan et al., 2018; top_p: Holtzman et al., 2019; min_p: Nguyen et al., 2024.
void Sampler::keep_most_probable() {
  const auto all = p_.size();
  const auto k = options_.top_k > 0 ? std::min(all, static_cast<std::size_t>(options_.top_k)) : all;
  if (k == all && options_.top_p >= 1 && options_.min_p <= 0) return;
  order_.resize(all);
  for (std::size_t i = 0; i < all; ++i) order_[i] = static_cast<std::int32_t>(i);
  // Among equals the lower id comes first, so that the choice is the same everywhere.
  const auto before = [&](std::int32_t a, std::int32_t b) {
    const double pa = p_[static_cast<std::size_t>(a)], pb = p_[static_cast<std::size_t>(b)];
    return pa > pb || (pa == pb && a < b);
  };
  std::partial_sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(k), order_.end(),
                    before);
  const auto p_at = [&](std::size_t place) -> double& {
    return p_[static_cast<std::size_t>(order_[place])];
  };
  double total = 0;
  for (std::size_t i = 0; i < k; ++i) total += p_at(i);
  double sum = 0;
  std::size_t kept = 0;
  while (kept < k) {
    const bool enough =
        kept > 0 && (sum >= options_.top_p * total || p_at(kept) < options_.min_p * p_at(0));
    if (enough) break;
    sum += p_at(kept++);
  }
  for (std::size_t i = kept; i < all; ++i) p_at(i) = 0;
}

std::span<const double> Sampler::probabilities(std::span<const float> logits) {
  p_.assign(logits.begin(), logits.end());
  const bool finite = std::ranges::all_of(p_, [](double v) { return std::isfinite(v); });
  if (p_.empty() || !finite) {
    throw Error(ErrorKind::value, "Sampler: the logits are not all numbers");
  }
  penalize();
  forbid();
  const auto best = std::ranges::max_element(p_);
  if (options_.temperature == 0) {
    const auto place = best - p_.begin();
    std::ranges::fill(p_, 0.0);
    p_[static_cast<std::size_t>(place)] = 1;
    return p_;
  }
  const double highest = *best;
  for (double& p : p_) p = std::exp((p - highest) / options_.temperature);
  keep_most_probable();
  double sum = 0;
  for (const double p : p_) sum += p;
  for (double& p : p_) p /= sum;
  return p_;
}

std::int32_t Sampler::choose(std::span<const float> logits) {
  probabilities(logits);
  const base::Random random(options_.seed, stream);
  double left = random.uniform(chosen_++);
  std::size_t id = 0, last = 0;
  for (; id < p_.size(); ++id) {
    if (p_[id] == 0) continue;
    last = id;
    if (left < p_[id]) break;
    left -= p_[id];
  }
  // Rounding may leave a rest behind the last one.
  const auto chosen = static_cast<std::int32_t>(last);
  saw(chosen);
  return chosen;
}

}  // namespace unroll
