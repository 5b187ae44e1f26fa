// Decoding: greedy, sampling and beam search, many sources side by side.
//
// A chunk of sources is encoded once. Its hypotheses are the rows of every step of the decoder; a
// source that is done gives its rows back. Beam search: of each hypothesis the most probable next
// ids, of all of these the best `beam`; those among them that end are results.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "src/base/threads.h"
#include "src/tasks/options.h"
#include "src/tasks/seq2seq_parts.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr Index rows_of_chunk = 32;

void check(const DecodeOptions& o) {
  const char* const who = "decode";
  tasks::check_count(who, "beam", o.beam, 1, 1000);
  tasks::check_count(who, "n_best", o.n_best, 1, o.beam);
  tasks::check_count(who, "max_length", o.max_length, 0, 1'000'000);
  tasks::check_number(who, "length_penalty", o.length_penalty,
                      o.length_penalty >= 0 && std::isfinite(o.length_penalty), "0 or more");
  if (!o.sample || o.beam == 1) return;
  throw Error(ErrorKind::value, "decode: sampling follows one sequence",
              {.got = "beam " + std::to_string(o.beam), .want = "beam 1"});
}

/// Source: Wu et al., "Google's neural machine translation system", 2016.
double penalty(Index length, double alpha) {
  return std::pow((5 + static_cast<double>(length)) / 6, alpha);
}

/// One id of a hypothesis, and the one before it.
struct Node {
  Index parent = -1;
  std::int32_t id = 0;
  std::vector<float> looked_at;
};

/// A hypothesis that goes on.
struct Open {
  Index node = -1;  // its last id; -1: nothing yet
  std::int32_t id = 0;
  double log_p = 0;
  Index row = 0;  // of the step that will be read
};

struct Done {
  Index node;
  double log_p, score;
  bool ended;
};

/// The search for one source.
class Search {
 public:
  Search(const DecodeOptions& options, Index source_length, std::int32_t begin, std::int32_t end,
         Index row, std::uint64_t number)
      : o_(options),
        begin_(begin),
        end_(end),
        steps_(source_length + 1),
        most_(options.max_length > 0 ? options.max_length : 2 * source_length + 10) {
    open_.push_back({.id = begin, .row = row});
    if (!options.sample) return;
    SamplingOptions sampling = options.sampling;
    sampling.seed += number;
    sampling.never.push_back(0);
    sampling.never.push_back(begin);
    sampler_.emplace(sampling);
  }

  bool done() const { return open_.empty(); }
  std::vector<Open>& open() { return open_; }

  /// Goes one step on: log probabilities (open, n) and what was looked at (open, steps).
  void advance(const float* log_p, Index n, const float* weights, Index steps) {
    ++length_;
    candidates_.clear();
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const float* row = log_p + static_cast<Index>(i) * n;
      if (sampler_) {
        const auto id = sampler_->choose({row, static_cast<std::size_t>(n)});
        candidates_.push_back({open_[i].log_p + static_cast<double>(row[id]), i, id});
      } else {
        best_of(row, n, i);
      }
    }
    const auto wanted = std::min(candidates_.size(), static_cast<std::size_t>(2 * o_.beam));
    std::partial_sort(candidates_.begin(),
                      candidates_.begin() + static_cast<std::ptrdiff_t>(wanted), candidates_.end(),
                      better);
    candidates_.resize(wanted);
    take(weights, steps);
  }

  std::vector<Decoded> results() {
    std::stable_sort(done_.begin(), done_.end(),
                     [](const Done& a, const Done& b) { return a.score > b.score; });
    std::vector<Decoded> best;
    for (const Done& done : done_) {
      if (static_cast<Index>(best.size()) < o_.n_best) best.push_back(decoded(done));
    }
    return best;
  }

 private:
  struct Candidate {
    double log_p;
    std::size_t from;
    std::int32_t id;
  };
  /// Among equals the earlier hypothesis, then the lower id: the choice is the same everywhere.
  static bool better(const Candidate& a, const Candidate& b) {
    if (a.log_p != b.log_p) return a.log_p > b.log_p;
    return a.from != b.from ? a.from < b.from : a.id < b.id;
  }

  /// The 2 beam most probable ids of a row: were all of one half to end, the other goes on.
  void best_of(const float* row, Index n, std::size_t from) {
    const auto most = static_cast<std::size_t>(2 * o_.beam);
    const auto above = [&](std::int32_t a, std::int32_t b) {
      return row[a] > row[b] || (row[a] == row[b] && a < b);
    };
    top_.clear();
    for (std::int32_t id = 1; id < n; ++id) {
      if (id == begin_ || (top_.size() == most && !above(id, top_.back()))) continue;
      if (top_.size() == most) top_.pop_back();
      top_.insert(std::upper_bound(top_.begin(), top_.end(), id, above), id);
    }
    for (const std::int32_t id : top_) {
      candidates_.push_back({open_[from].log_p + static_cast<double>(row[id]), from, id});
    }
  }

  void take(const float* weights, Index steps) {
    std::vector<Open> next;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const Candidate& c = candidates_[i];
      const auto rank = static_cast<Index>(i);
      const bool ends = c.id == end_;
      if (ends && rank >= o_.beam) continue;
      if (!ends && static_cast<Index>(next.size()) >= o_.beam) continue;
      const Index node = add_node(c, weights, steps);
      if (ends) {
        finish(node, c.log_p, true);
      } else {
        next.push_back({node, c.id, c.log_p, open_[c.from].row});
      }
    }
    open_ = std::move(next);
    const bool enough = static_cast<Index>(done_.size()) >= o_.beam;
    if (!enough && length_ >= most_) {
      for (const Open& open : open_) finish(open.node, open.log_p, false);
    }
    if (enough || length_ >= most_) open_.clear();
  }

  Index add_node(const Candidate& c, const float* weights, Index steps) {
    Node node{open_[c.from].node, c.id, {}};
    if (o_.attention) {
      const float* row = weights + static_cast<Index>(c.from) * steps;
      node.looked_at.assign(row, row + steps_);
    }
    nodes_.push_back(std::move(node));
    return static_cast<Index>(nodes_.size()) - 1;
  }

  void finish(Index node, double log_p, bool ended) {
    done_.push_back({node, log_p, log_p / penalty(length_, o_.length_penalty), ended});
  }

  Decoded decoded(const Done& done) const {
    Decoded result;
    result.score = done.score;
    result.log_p = done.log_p;
    result.ended = done.ended;
    std::vector<Index> path;
    for (Index at = done.node; at >= 0; at = nodes_[static_cast<std::size_t>(at)].parent) {
      path.push_back(at);
    }
    std::reverse(path.begin(), path.end());
    if (o_.attention) {
      result.attention = Tensor({static_cast<Index>(path.size()), steps_});
    }
    for (std::size_t i = 0; i < path.size(); ++i) {
      const Node& node = nodes_[static_cast<std::size_t>(path[i])];
      if (node.id != end_) result.ids.push_back(node.id);
      std::copy(
          node.looked_at.begin(), node.looked_at.end(),
          o_.attention ? result.attention.floats() + static_cast<Index>(i) * steps_ : nullptr);
    }
    return result;
  }

  const DecodeOptions& o_;
  std::int32_t begin_, end_;
  Index steps_, most_, length_ = 0;
  std::optional<Sampler> sampler_;
  std::vector<Open> open_;
  std::vector<Done> done_;
  std::vector<Node> nodes_;
  std::vector<Candidate> candidates_;
  std::vector<std::int32_t> top_;
};

/// Rows of numbers that outlive the tape they were made on.
class Kept {
 public:
  void keep(const Var& v) {
    width_ = v.shape()[-1];
    numbers_.assign(v.data<float>(), v.data<float>() + v.elements());
  }
  /// The rows of a list, on a tape.
  Var on(Tape& tape, const std::vector<Index>& rows) const {
    Var v = tape.result({static_cast<Index>(rows.size()), width_}, DType::float32, false);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::copy_n(numbers_.data() + rows[i] * width_, width_,
                  v.data<float>() + static_cast<Index>(i) * width_);
    }
    return v;
  }

 private:
  std::vector<float> numbers_;
  Index width_ = 0;
};

/// One worker's decoding of one chunk: two calls, as the memory stays while the steps' tape begins
/// anew.
class Chunk {
 public:
  Chunk(const Seq2Seq& model, const Seq2Seq::Parts& parts) : model_(model), parts_(parts) {}

  void begin(std::span<const Ids* const> sources) {
    memory_call_.begin(static_cast<Index>(sources.size()));
    const tasks::Encoded encoded = tasks::encode(parts_, memory_call_, sources, model_.end());
    memory_ = encoded.memory;
    states_.resize(encoded.state.states.size());
    for (std::size_t i = 0; i < states_.size(); ++i) states_[i].keep(encoded.state.states[i]);
    if (parts_.decoder->feeds()) fed_.keep(encoded.state.fed);
  }

  struct Read {
    Var log_p;    // (rows, n)
    Var weights;  // (rows, steps of the memory)
  };
  /// Reads ids[i] after state `rows[i]`; attends to sequence `sequences[i]`. The states of the next
  /// call are numbered as these rows.
  Read step(const Ids& ids, const std::vector<Index>& rows, const std::vector<Index>& sequences) {
    const auto count = static_cast<Index>(ids.size());
    call_.begin(count);
    Tape& tape = call_.tape();
    const Var id = tape.leaf({count}, DType::int32, const_cast<std::int32_t*>(ids.data()), nullptr);
    const Var x = call_.run(*parts_.target_embedding, {id})[0];
    DecoderState state;
    for (const Kept& kept : states_) state.states.push_back(kept.on(tape, rows));
    if (parts_.decoder->feeds()) state.fed = fed_.on(tape, rows);
    DecoderSteps steps(call_, *parts_.decoder, count);
    Read read;
    const Var y = steps.step(x, state, memory_, sequences.data(), {}, &read.weights);
    for (std::size_t i = 0; i < states_.size(); ++i) states_[i].keep(state.states[i]);
    if (parts_.decoder->feeds()) fed_.keep(y);
    const Var logits = call_.run(*parts_.target_embedding, {y})[0];
    read.log_p = activate(logits, "log_softmax");
    return read;
  }

 private:
  const Seq2Seq& model_;
  const Seq2Seq::Parts& parts_;
  tasks::PlainCall memory_call_, call_;
  Attended memory_;
  std::vector<Kept> states_;
  Kept fed_;
};

void search_all(Chunk& chunk, std::vector<Search>& searches) {
  Ids ids;
  std::vector<Index> rows, sequences;
  for (;;) {
    ids.clear();
    rows.clear();
    sequences.clear();
    for (std::size_t s = 0; s < searches.size(); ++s) {
      for (Open& open : searches[s].open()) {
        ids.push_back(open.id);
        rows.push_back(open.row);
        sequences.push_back(static_cast<Index>(s));
        open.row = static_cast<Index>(ids.size()) - 1;
      }
    }
    if (ids.empty()) return;
    const Chunk::Read read = chunk.step(ids, rows, sequences);
    const Index n = read.log_p.shape()[1], steps = read.weights.shape()[1];
    Index at = 0;
    for (Search& search : searches) {
      const auto count = static_cast<Index>(search.open().size());
      if (count == 0) continue;
      search.advance(read.log_p.data<float>() + at * n, n, read.weights.data<float>() + at * steps,
                     steps);
      at += count;
    }
  }
}

/// Sources in chunks of like lengths: calls run(chunk's numbers) on any worker.
template <class F>
void for_chunks(const std::vector<Ids>& sources, Index each, int threads, F run) {
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sources[a].size() > sources[b].size();
  });
  const auto size = static_cast<std::size_t>(each);
  const std::size_t chunks = (order.size() + size - 1) / size;
  base::Workers workers(threads > 0 ? threads : base::default_threads());
  workers.run(static_cast<Index>(chunks), [&](Index i) {
    const std::size_t first = static_cast<std::size_t>(i) * size;
    run(std::span<const std::size_t>(order).subspan(first, std::min(size, order.size() - first)));
  });
}

std::vector<const Ids*> pointers(const std::vector<Ids>& all, std::span<const std::size_t> which) {
  std::vector<const Ids*> chosen;
  for (const std::size_t i : which) chosen.push_back(&all[i]);
  return chosen;
}

}  // namespace

std::vector<std::vector<Decoded>> Seq2Seq::decode(const std::vector<Ids>& sources,
                                                  const DecodeOptions& options) const {
  check(options);
  for (const Ids& source : sources) tasks::check_ids("decode", source, source_vocabulary_);
  parts_->prepare();
  std::vector<std::vector<Decoded>> results(sources.size());
  const Index each = std::max<Index>(1, rows_of_chunk / options.beam);
  for_chunks(sources, each, options.threads, [&](std::span<const std::size_t> which) {
    Chunk chunk(*this, *parts_);
    chunk.begin(pointers(sources, which));
    std::vector<Search> searches;
    for (std::size_t i = 0; i < which.size(); ++i) {
      const auto length = static_cast<Index>(sources[which[i]].size());
      searches.emplace_back(options, length, begin_, end_, static_cast<Index>(i), which[i]);
    }
    search_all(chunk, searches);
    for (std::size_t i = 0; i < which.size(); ++i) results[which[i]] = searches[i].results();
  });
  return results;
}

/// Calls visit for each place of each target, on any thread; those of one target in their order.
void Seq2Seq::foretell(const std::vector<Ids>& sources, const std::vector<Ids>& targets,
                       const Visitor& visit) const {
  if (sources.size() != targets.size()) {
    throw Error(ErrorKind::value, "Seq2Seq: lists of different lengths",
                {.got = std::to_string(sources.size()) + " sources, " +
                        std::to_string(targets.size()) + " targets"});
  }
  for (const Ids& ids : sources) tasks::check_ids("Seq2Seq", ids, source_vocabulary_);
  for (const Ids& ids : targets) tasks::check_ids("Seq2Seq", ids, target_vocabulary_);
  parts_->prepare();
  for_chunks(sources, rows_of_chunk, 0, [&](std::span<const std::size_t> which) {
    Chunk chunk(*this, *parts_);
    chunk.begin(pointers(sources, which));
    std::vector<Index> rows(which.size());
    std::iota(rows.begin(), rows.end(), Index{0});
    const std::vector<Index> sequences = rows;
    Ids ids(which.size(), begin_);
    std::size_t longest = 0;
    for (const std::size_t i : which) longest = std::max(longest, targets[i].size());
    for (std::size_t t = 0; t <= longest; ++t) {
      const Chunk::Read read = chunk.step(ids, rows, sequences);
      const auto n = static_cast<std::size_t>(read.log_p.shape()[1]);
      for (std::size_t i = 0; i < which.size(); ++i) {
        const Ids& target = targets[which[i]];
        if (t <= target.size()) visit(which[i], t, {read.log_p.data<float>() + i * n, n});
        ids[i] = t < target.size() ? target[t] : end_;
      }
    }
  });
}

std::vector<std::vector<double>> Seq2Seq::log_probabilities(const std::vector<Ids>& sources,
                                                            const std::vector<Ids>& targets) const {
  std::vector<std::vector<double>> results(targets.size());
  foretell(sources, targets, [&](std::size_t i, std::size_t t, std::span<const float> log_p) {
    const std::int32_t next = t < targets[i].size() ? targets[i][t] : end_;
    results[i].push_back(static_cast<double>(log_p[static_cast<std::size_t>(next)]));
  });
  return results;
}

std::vector<Ids> Seq2Seq::forced(const std::vector<Ids>& sources,
                                 const std::vector<Ids>& targets) const {
  std::vector<Ids> results(targets.size());
  foretell(sources, targets, [&](std::size_t i, std::size_t, std::span<const float> log_p) {
    results[i].push_back(
        static_cast<std::int32_t>(std::max_element(log_p.begin(), log_p.end()) - log_p.begin()));
  });
  return results;
}

}  // namespace unroll
