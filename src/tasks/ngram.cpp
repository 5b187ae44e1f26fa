// Counts of n-grams in a trie, level by level: entry i of level k is an n-gram of k ids; its
// children, one behind the other in level k + 1, are the ids that followed it, ascending.
#include "unroll/ngram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/tasks/options.h"
#include "src/tasks/words.h"
#include "unroll/error.h"

namespace unroll {

namespace {

using Ids = std::span<const std::int32_t>;

/// What the children of an entry add up to.
struct Sums {
  std::uint64_t total = 0;
  std::array<std::uint32_t, 3> counted{};  // children of count 1, of 2, of 3 or more
};

struct Level {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> first_child;
  std::vector<Sums> sums;  // of the children
};

std::size_t grade(std::uint32_t count) { return std::min<std::size_t>(count, 3) - 1; }

Discounts discounts_of(const Level& level) {
  std::array<double, 5> n{};
  for (const std::uint32_t count : level.counts) {
    if (count >= 1 && count <= 4) ++n[count];
  }
  const double y = n[1] > 0 && n[2] > 0 ? n[1] / (n[1] + 2 * n[2]) : 0.5;
  if (n[1] == 0 || n[2] == 0 || n[3] == 0 || n[4] == 0) return {y, y, y};
  Discounts d;
  for (std::size_t k = 1; k <= 3; ++k) {
    d[k - 1] = static_cast<double>(k) - static_cast<double>(k + 1) * y * n[k + 1] / n[k];
    if (!(d[k - 1] > 0 && d[k - 1] < static_cast<double>(k))) return {y, y, y};
  }
  return d;
}

}  // namespace

struct Ngram::Impl {
  Index vocabulary;
  std::vector<Level> levels;  // levels[k]: n-grams of k ids; levels[0] has the empty one
  std::vector<Discounts> discounts;

  Impl(Ids ids, Index vocabulary, std::size_t order);
  void add_entries(Ids ids, std::size_t order);
  void count_continuations(std::size_t length, std::vector<std::int32_t>& gram, std::uint32_t entry,
                           std::size_t depth);
  void sum_up();

  std::size_t order() const { return levels.size() - 1; }
  std::uint32_t end_of(std::size_t level, std::uint32_t entry) const {
    const auto& first = levels[level].first_child;
    return entry + 1 < first.size() ? first[entry + 1]
                                    : static_cast<std::uint32_t>(levels[level + 1].ids.size());
  }
  /// The child of an entry; its level's size where there is none.
  std::uint32_t child(std::size_t level, std::uint32_t entry, std::int32_t id) const {
    const auto& ids = levels[level + 1].ids;
    const auto end = ids.begin() + end_of(level, entry);
    const auto found = std::lower_bound(ids.begin() + levels[level].first_child[entry], end, id);
    return static_cast<std::uint32_t>((found != end && *found == id ? found : ids.end()) -
                                      ids.begin());
  }
  /// The entry of a context; its level's size where it never came.
  std::uint32_t find(Ids context) const {
    std::uint32_t entry = 0;
    for (std::size_t k = 0; k < context.size(); ++k) {
      entry = child(k, entry, context[k]);
      if (entry == levels[k + 1].ids.size()) {
        return static_cast<std::uint32_t>(levels[context.size()].ids.size());
      }
    }
    return entry;
  }
  /// The children of a context of `length` ids: null where nothing ever followed it.
  const Sums* sums_after(Ids context, std::uint32_t& entry) const {
    entry = find(context);
    const Level& level = levels[context.size()];
    const bool known = entry < level.ids.size() && level.sums[entry].total > 0;
    return known ? &level.sums[entry] : nullptr;
  }
  /// What the discounts leave to the shorter context.
  double rest(const Sums& sums, std::size_t length) const {
    const Discounts& d = discounts[length];
    double rest = 0;
    for (std::size_t g = 0; g < 3; ++g) rest += d[g] * sums.counted[g];
    return rest / static_cast<double>(sums.total);
  }
  double share(const Sums& sums, std::uint32_t count, std::size_t length) const {
    if (count == 0) return 0;
    return (count - discounts[length][grade(count)]) / static_cast<double>(sums.total);
  }
  /// The last order - 1 ids.
  Ids shortened(Ids context) const { return context.last(std::min(context.size(), order() - 1)); }
};

Ngram::Impl::Impl(Ids ids, Index size, std::size_t order)
    : vocabulary(size), levels(order + 1), discounts(order + 1) {
  add_entries(ids, order);
  // From the second highest order down a count says how many different ids came before.
  for (std::size_t length = order; length > 1; --length) {
    std::ranges::fill(levels[length - 1].counts, 0U);
    std::vector<std::int32_t> gram;
    count_continuations(length, gram, 0, 0);
  }
  for (std::size_t length = 1; length <= order; ++length) {
    discounts[length] = discounts_of(levels[length]);
  }
  sum_up();
}

void Ngram::Impl::add_entries(Ids ids, std::size_t order) {
  std::vector<std::uint32_t> places(ids.size());
  std::iota(places.begin(), places.end(), 0U);
  const auto gram = [&](std::uint32_t place) {
    return ids.subspan(place, std::min(order, ids.size() - place));
  };
  std::sort(places.begin(), places.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Ids x = gram(a), y = gram(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  levels[0] = {.ids = {0}, .counts = {0}, .first_child = {0}, .sums = {}};
  Ids before;
  for (const std::uint32_t place : places) {
    const Ids now = gram(place);
    const auto [differs, end] = std::mismatch(now.begin(), now.end(), before.begin(), before.end());
    const auto same = static_cast<std::size_t>(differs - now.begin());
    for (std::size_t k = 1; k <= now.size(); ++k) {
      Level& level = levels[k];
      if (k > same) {
        level.ids.push_back(now[k - 1]);
        level.counts.push_back(0);
        const std::size_t children = k < order ? levels[k + 1].ids.size() : 0;
        level.first_child.push_back(static_cast<std::uint32_t>(children));
      }
      ++level.counts.back();
    }
    before = now;
  }
}

/// Walks all n-grams of `length` ids; each is one more id before the n-gram without its first.
void Ngram::Impl::count_continuations(std::size_t length, std::vector<std::int32_t>& gram,
                                      std::uint32_t entry, std::size_t depth) {
  if (depth == length) {
    ++levels[length - 1].counts[find(Ids(gram).subspan(1))];
    return;
  }
  for (std::uint32_t i = levels[depth].first_child[entry]; i < end_of(depth, entry); ++i) {
    gram.push_back(levels[depth + 1].ids[i]);
    count_continuations(length, gram, i, depth + 1);
    gram.pop_back();
  }
}

void Ngram::Impl::sum_up() {
  for (std::size_t k = 0; k < order(); ++k) {
    levels[k].sums.resize(levels[k].ids.size());
    for (std::uint32_t entry = 0; entry < levels[k].ids.size(); ++entry) {
      Sums& sums = levels[k].sums[entry];
      for (std::uint32_t i = levels[k].first_child[entry]; i < end_of(k, entry); ++i) {
        const std::uint32_t count = levels[k + 1].counts[i];
        if (count == 0) continue;
        sums.total += count;
        ++sums.counted[grade(count)];
      }
    }
  }
}

Ngram::Ngram(Ids ids, Index vocabulary, const NgramOptions& options) {
  tasks::check_count("Ngram", "order", options.order, 1, 8);
  tasks::check_count("Ngram", "vocabulary", vocabulary, 1, 1 << 24);
  tasks::check_count("Ngram", "number of ids", static_cast<Index>(ids.size()), 1, 4'000'000'000);
  tasks::check_ids("Ngram", ids, vocabulary);
  impl_ = std::make_shared<const Impl>(ids, vocabulary, static_cast<std::size_t>(options.order));
}

Index Ngram::order() const noexcept { return static_cast<Index>(impl_->order()); }
Index Ngram::vocabulary() const noexcept { return impl_->vocabulary; }
const Discounts& Ngram::discounts(Index length) const {
  return impl_->discounts[static_cast<std::size_t>(length)];
}

double Ngram::probability(Ids context, std::int32_t id) const {
  tasks::check_ids("Ngram", std::span(&id, 1), impl_->vocabulary);
  context = impl_->shortened(context);
  double p = 1 / static_cast<double>(impl_->vocabulary);
  for (std::size_t length = 1; length <= context.size() + 1; ++length) {
    std::uint32_t entry = 0;
    const Sums* const sums = impl_->sums_after(context.last(length - 1), entry);
    if (sums == nullptr) continue;
    const std::uint32_t found = impl_->child(length - 1, entry, id);
    const Level& level = impl_->levels[length];
    const std::uint32_t count = found < level.ids.size() ? level.counts[found] : 0;
    p = impl_->share(*sums, count, length) + impl_->rest(*sums, length) * p;
  }
  return p;
}

std::vector<double> Ngram::distribution(Ids context) const {
  context = impl_->shortened(context);
  const auto size = static_cast<std::size_t>(impl_->vocabulary);
  std::vector<double> p(size, 1 / static_cast<double>(size));
  for (std::size_t length = 1; length <= context.size() + 1; ++length) {
    std::uint32_t entry = 0;
    const Sums* const sums = impl_->sums_after(context.last(length - 1), entry);
    if (sums == nullptr) continue;
    const double rest = impl_->rest(*sums, length);
    for (double& value : p) value *= rest;
    const Level& level = impl_->levels[length];
    const std::uint32_t end = impl_->end_of(length - 1, entry);
    for (std::uint32_t i = impl_->levels[length - 1].first_child[entry]; i < end; ++i) {
      p[static_cast<std::size_t>(level.ids[i])] += impl_->share(*sums, level.counts[i], length);
    }
  }
  return p;
}

std::vector<double> Ngram::log_probabilities(Ids ids, Index first) const {
  std::vector<double> logs;
  for (auto i = static_cast<std::size_t>(first); i < ids.size(); ++i) {
    logs.push_back(std::log(probability(ids.first(i), ids[i])));
  }
  return logs;
}

LanguageScore Ngram::evaluate(Ids ids, Index first) const {
  if (first < 0 || first >= static_cast<Index>(ids.size())) {
    throw Error(ErrorKind::value, "Ngram: nothing to foretell",
                {.got = tasks::counted(static_cast<Index>(ids.size()), "id"),
                 .want = "more than " + std::to_string(first)});
  }
  return score_of(log_probabilities(ids, first));
}

// --- two models together ---

LanguageScore score_of(std::span<const double> log_probabilities) {
  double sum = 0;
  for (const double log : log_probabilities) sum -= log;
  return {.nats = sum / static_cast<double>(log_probabilities.size()),
          .tokens = static_cast<Index>(log_probabilities.size())};
}

std::vector<double> interpolated(std::span<const double> p, std::span<const double> q,
                                 double weight) {
  std::vector<double> result(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    result[i] = std::log(weight * std::exp(p[i]) + (1 - weight) * std::exp(q[i]));
  }
  return result;
}

double best_weight(std::span<const double> p, std::span<const double> q) {
  double weight = 0.5;
  for (int round = 0; round < 1000 && !p.empty(); ++round) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      // As a ratio: both may be too small to be written out.
      sum += weight / (weight + (1 - weight) * std::exp(q[i] - p[i]));
    }
    const double next = sum / static_cast<double>(p.size());
    const bool settled = std::abs(next - weight) < 1e-6;
    weight = next;
    if (settled) break;
  }
  return weight;
}

}  // namespace unroll
