// Readings of what a network trained with CTC says, and their errors.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "src/kernels/softmax.h"
#include "src/training/tensors.h"
#include "unroll/ctc.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

double log_add(double x, double y) {
  if (x < y) std::swap(x, y);
  return x == never ? x : x + std::log1p(std::exp(y - x));
}

/// Log probabilities of all rows, and how many steps of each count.
struct Readable {
  Index rows, time, classes, blank;
  std::vector<double> logs;
  std::vector<Index> lengths;

  template <class Options>
  Readable(const Tensor& inputs, const Options& options) {
    const Shape& shape = inputs.shape();
    if (shape.rank() != 3) {
      throw Error(ErrorKind::shape, "ctc: the inputs have the wrong rank",
                  {.got = shape.to_string(), .want = "(batch, time, classes)"});
    }
    rows = shape[0], time = shape[1], classes = shape[2], blank = options.mask_index;
    if (blank < 0 || blank >= classes) {
      throw Error(ErrorKind::value, "ctc: mask_index names no class",
                  {.got = std::to_string(blank), .want = "0 to " + std::to_string(classes - 1)});
    }
    logs = training::numbers_of<double>(inputs);
    if (options.from_logits) {
      kernels::log_softmax(rows * time, classes, logs.data(), logs.data());
    } else {
      for (double& p : logs) p = std::log(p);
    }
    read_lengths(options.sequence_lengths);
  }

  void read_lengths(const std::vector<Index>& given) {
    lengths = given.empty() ? std::vector<Index>(static_cast<std::size_t>(rows), time) : given;
    if (static_cast<Index>(lengths.size()) != rows) {
      throw Error(ErrorKind::shape, "ctc: sequence_lengths are of other rows",
                  {.got = std::to_string(lengths.size()), .want = std::to_string(rows)});
    }
    for (const Index length : lengths) {
      if (length >= 0 && length <= time) continue;
      throw Error(ErrorKind::value, "ctc: a sequence length is out of range",
                  {.got = std::to_string(length), .want = "0 to " + std::to_string(time)});
    }
  }

  const double* step(Index row, Index t) const { return logs.data() + (row * time + t) * classes; }
};

/// Beginnings of readings as a tree: a label, and the beginning before it.
class Prefixes {
 public:
  static constexpr Index empty = 0;

  Index label(Index prefix) const { return nodes_[static_cast<std::size_t>(prefix)].label; }
  Index longer(Index prefix, Index label) {
    const auto [at, is_new] =
        children_.try_emplace({prefix, label}, static_cast<Index>(nodes_.size()));
    if (is_new) nodes_.push_back({prefix, label});
    return at->second;
  }
  std::vector<Index> labels(Index prefix) const {
    std::vector<Index> reversed;
    for (; prefix != empty; prefix = nodes_[static_cast<std::size_t>(prefix)].before) {
      reversed.push_back(label(prefix));
    }
    return {reversed.rbegin(), reversed.rend()};
  }

 private:
  struct Node {
    Index before = -1, label = -1;
  };
  std::vector<Node> nodes_{Node{}};
  std::map<std::pair<Index, Index>, Index> children_;
};

/// The log probability of all paths that read as a beginning, by whether they end with a blank.
struct Beam {
  Index prefix = Prefixes::empty;
  double blank = never, label = never;
  double total() const { return log_add(blank, label); }
};

class Search {
 public:
  Search(const Readable& in, Index row, Index width) : in_(in), row_(row), width_(width) {}

  std::vector<CtcPath> run(Index top_paths) {
    beams_ = {Beam{.blank = 0}};
    for (Index t = 0; t < in_.lengths[static_cast<std::size_t>(row_)]; ++t) advance(t);
    std::vector<CtcPath> paths;
    for (const Beam& beam : beams_) {
      if (static_cast<Index>(paths.size()) == top_paths) break;
      paths.push_back({prefixes_.labels(beam.prefix), beam.total()});
    }
    return paths;
  }

 private:
  Beam& next_of(Index prefix) {
    const auto [at, is_new] = places_.try_emplace(prefix, next_.size());
    if (is_new) next_.push_back({.prefix = prefix});
    return next_[at->second];
  }

  void advance(Index t) {
    const double* log = in_.step(row_, t);
    next_.clear();
    places_.clear();
    for (const Beam& beam : beams_) {
      const double total = beam.total();
      const Index last = prefixes_.label(beam.prefix);
      for (Index k = 0; k < in_.classes; ++k) {
        if (log[k] == never) continue;
        if (k == in_.blank) {
          double& to = next_of(beam.prefix).blank;
          to = log_add(to, total + log[k]);
          continue;
        }
        if (k == last) {  // repeated: the same reading, unless a blank stood between
          double& to = next_of(beam.prefix).label;
          to = log_add(to, beam.label + log[k]);
        }
        const double from = k == last ? beam.blank : total;
        if (from == never) continue;
        double& to = next_of(prefixes_.longer(beam.prefix, k)).label;
        to = log_add(to, from + log[k]);
      }
    }
    const auto better = [](const Beam& a, const Beam& b) {
      const double x = a.total(), y = b.total();
      return x != y ? x > y : a.prefix < b.prefix;
    };
    const std::size_t kept = std::min(next_.size(), static_cast<std::size_t>(width_));
    std::partial_sort(next_.begin(), next_.begin() + static_cast<std::ptrdiff_t>(kept), next_.end(),
                      better);
    next_.resize(kept);
    beams_.swap(next_);
  }

  const Readable& in_;
  Index row_, width_;
  Prefixes prefixes_;
  std::vector<Beam> beams_, next_;
  std::map<Index, std::size_t> places_;
};

}  // namespace

std::vector<CtcPath> ctc_greedy_decode(const Tensor& inputs, const CtcGreedyOptions& options) {
  const Readable in(inputs, options);
  std::vector<CtcPath> paths(static_cast<std::size_t>(in.rows));
  for (Index row = 0; row < in.rows; ++row) {
    CtcPath& path = paths[static_cast<std::size_t>(row)];
    Index before = in.blank;
    for (Index t = 0; t < in.lengths[static_cast<std::size_t>(row)]; ++t) {
      const double* log = in.step(row, t);
      const Index best = std::max_element(log, log + in.classes) - log;
      path.score += log[best];
      const bool repeated = options.merge_repeated && best == before;
      if (best != in.blank && !repeated) path.labels.push_back(best);
      before = best;
    }
  }
  return paths;
}

std::vector<std::vector<CtcPath>> ctc_beam_search_decode(const Tensor& inputs,
                                                         const CtcBeamOptions& options) {
  const Readable in(inputs, options);
  if (options.beam_width < 1) {
    throw Error(ErrorKind::value, "ctc: beam_width is too small",
                {.got = std::to_string(options.beam_width), .want = "at least 1"});
  }
  if (options.top_paths < 1 || options.top_paths > options.beam_width) {
    throw Error(ErrorKind::value, "ctc: top_paths is out of range",
                {.got = std::to_string(options.top_paths),
                 .want = "1 to beam_width, which is " + std::to_string(options.beam_width)});
  }
  std::vector<std::vector<CtcPath>> all;
  for (Index row = 0; row < in.rows; ++row) {
    all.push_back(Search(in, row, options.beam_width).run(options.top_paths));
  }
  return all;
}

Index edit_distance(std::span<const Index> a, std::span<const Index> b) {
  std::vector<Index> costs(b.size() + 1);  // from the a read so far to each beginning of b
  for (std::size_t j = 0; j < costs.size(); ++j) costs[j] = static_cast<Index>(j);
  for (std::size_t i = 0; i < a.size(); ++i) {
    Index diagonal = std::exchange(costs[0], static_cast<Index>(i) + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const Index changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(costs[j + 1], std::min({changed, costs[j] + 1, costs[j + 1] + 1}));
    }
  }
  return costs.back();
}

void LabelErrorRate::add(std::span<const Index> truth, std::span<const Index> read) {
  errors_ += edit_distance(truth, read);
  labels_ += static_cast<Index>(truth.size());
}

void LabelErrorRate::add(const Tensor& y_true, std::span<const CtcPath> read, Index mask_index) {
  const Shape& shape = y_true.shape();
  if (shape.rank() != 2 || shape[0] != static_cast<Index>(read.size())) {
    throw Error(
        ErrorKind::shape, "LabelErrorRate: the truths do not fit the readings",
        {.got = shape.to_string(), .want = "(" + std::to_string(read.size()) + ", labels)"});
  }
  const auto labels = training::numbers_of<double>(y_true);
  for (Index row = 0; row < shape[0]; ++row) {
    std::vector<Index> truth;
    for (Index i = 0; i < shape[1]; ++i) {
      const auto label = static_cast<Index>(labels[static_cast<std::size_t>(row * shape[1] + i)]);
      if (label != mask_index) truth.push_back(label);
    }
    add(truth, read[static_cast<std::size_t>(row)].labels);
  }
}

}  // namespace unroll
