// Grammars: which symbols may come next? Embedded Reber strings ask for the second symbol again at
// their end; a^n b^n asks for a count.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/lesson.h"
#include "unroll/layers.h"
#include "unroll/plot.h"
#include "unroll/problems.h"
#include "unroll/recurrent.h"
#include "unroll/schedules.h"

namespace unroll::apps {

namespace {

constexpr Index train_strings = 8000, test_strings = 256, epochs = 12, batch = 32;
constexpr Index most_learnt = 10, longest_asked = 60;

/// Strings as a network reads them: a symbol in, the next one to be said; zeros behind are masked.
struct Sentences {
  Tensor x, y;
};

Sentences sentences(const std::vector<std::string>& strings, std::string_view symbols) {
  std::size_t longest = 0;
  for (const std::string& text : strings) longest = std::max(longest, text.size());
  const auto rows = static_cast<Index>(strings.size()), steps = static_cast<Index>(longest) - 1;
  Sentences all{Tensor({rows, steps}, DType::int32), Tensor({rows, steps}, DType::int32)};
  for (Index row = 0; row < rows; ++row) {
    const std::string& text = strings[static_cast<std::size_t>(row)];
    for (std::size_t t = 0; t + 1 < text.size(); ++t) {
      const auto at = static_cast<std::size_t>(row * steps) + t;
      all.x.values<std::int32_t>()[at] = static_cast<std::int32_t>(symbols.find(text[t]) + 1);
      all.y.values<std::int32_t>()[at] = static_cast<std::int32_t>(symbols.find(text[t + 1]));
    }
  }
  return all;
}

Sequential network(const std::string& cell, Index symbols, Index units) {
  const auto recurrent = [&]() -> Layer {
    if (cell == "SimpleRNN") return SimpleRNN(units, {.return_sequences = true});
    if (cell == "GRU") return GRU(units, {.return_sequences = true});
    return LSTM(units, {.return_sequences = true});
  };
  return Sequential{InputLayer({.shape = {unknown}}),
                    Embedding(symbols + 1, 8, {.mask_zero = true}), recurrent(),
                    Dense(symbols, {.activation = "softmax"})};
}

void learn(const LessonRun& run, std::uint64_t seed, Sequential& model, const Sentences& data,
           Index rounds) {
  const Index updates = rounds * ((data.x.shape()[0] + batch - 1) / batch);
  model.compile({.optimizer = Adam{.learning_rate = CosineDecay{.initial_learning_rate = 1e-2,
                                                                .decay_steps = updates},
                                   .global_clipnorm = 1.0},
                 .loss = "sparse_categorical_crossentropy",
                 .seed = seed,
                 .threads = run.threads});
  model.fit(data.x, data.y,
            {.batch_size = batch, .epochs = rounds, .interrupted = run.interrupted});
}

/// Whether the symbols that may come are the most probable ones, each above all others.
bool only_legal(const float* said, std::string_view symbols, const std::string& legal) {
  float least_legal = 1, most_other = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool may = legal.find(symbols[i]) != std::string::npos;
    if (may) least_legal = std::min(least_legal, said[i]);
    if (!may) most_other = std::max(most_other, said[i]);
  }
  return least_legal > most_other;
}

/// How many of the strings are told right: every successor, and the last symbol but one.
struct Told {
  Index all = 0, last_but_one = 0;
};

Told told(Sequential& model, const std::vector<std::string>& strings) {
  const Tensor said = model.predict(sentences(strings, reber_symbols).x)[0];
  const Index steps = said.shape()[1], classes = said.shape()[2];
  Told result;
  for (std::size_t row = 0; row < strings.size(); ++row) {
    bool every = true;
    for (std::size_t t = 0; t + 1 < strings[row].size(); ++t) {
      const float* at =
          said.floats() + (static_cast<Index>(row) * steps + static_cast<Index>(t)) * classes;
      const bool right = only_legal(at, reber_symbols, legal_after(strings[row].substr(0, t + 1)));
      every = every && right;
      if (t + 3 == strings[row].size()) result.last_but_one += right;
    }
    result.all += every;
  }
  return result;
}

/// What the network says after each symbol of a string.
std::function<void(const std::string&)> picture(const LessonRun& run, Sequential& model,
                                                const std::string& text) {
  const Tensor said = model.predict(sentences({text}, reber_symbols).x)[0];
  const Index steps = said.shape()[1], classes = said.shape()[2];
  HeatMapOptions plot{.title = "What may come next, after each symbol",
                      .values = Tensor({classes, steps}),
                      .x_label = "a string that it has not seen",
                      .y_label = "next symbol",
                      .scale_label = "probability",
                      .low = 0,
                      .high = 1,
                      .height = 4,
                      .command = run.command};
  for (Index t = 0; t < steps; ++t) {
    plot.columns.emplace_back(1, text[static_cast<std::size_t>(t)]);
    for (Index c = 0; c < classes; ++c) {
      plot.values.floats()[c * steps + t] = said.floats()[t * classes + c];
    }
  }
  for (const char symbol : reber_symbols) plot.rows.emplace_back(1, symbol);
  return [plot](const std::string& path) { HeatMap(plot).save(path); };
}

/// Strings that are not among those learnt, none twice.
std::vector<std::string> unseen(const std::vector<std::string>& learnt, std::uint64_t seed) {
  const std::set<std::string> known(learnt.begin(), learnt.end());
  std::vector<std::string> found;
  for (const std::string& text : reber_strings(200 * test_strings, seed)) {
    if (static_cast<Index>(found.size()) == test_strings) break;
    const bool twice = std::ranges::find(found, text) != found.end();
    if (!twice && !known.contains(text)) found.push_back(text);
  }
  return found;
}

// --- a^n b^n ---

constexpr std::string_view counted = "SabT";  // begins, a, b, ends

std::string counting(Index n) {
  const auto times = static_cast<std::size_t>(n);
  return "S" + std::string(times, 'a') + std::string(times, 'b') + "T";
}

/// The largest n up to which every string is told right from its first b on, where all is settled:
/// b until as many have come as there were a, then the end.
Index counts_to(Sequential& model) {
  std::vector<std::string> strings;
  for (Index n = 1; n <= longest_asked; ++n) strings.push_back(counting(n));
  const Tensor said = model.predict(sentences(strings, counted).x)[0];
  const Index steps = said.shape()[1], classes = said.shape()[2];
  for (Index n = 1; n <= longest_asked; ++n) {
    for (Index t = n + 1; t <= 2 * n; ++t) {
      const float* at = said.floats() + ((n - 1) * steps + t) * classes;
      if (!only_legal(at, counted, t < 2 * n ? "b" : "T")) return n - 1;
    }
  }
  return longest_asked;
}

Index learn_to_count(const LessonRun& run, std::uint64_t seed, const std::string& cell) {
  std::vector<std::string> strings;
  for (Index i = 0; i < 64; ++i) {
    for (Index n = 1; n <= most_learnt; ++n) strings.push_back(counting(n));
  }
  Sequential model = network(cell, static_cast<Index>(counted.size()), 4);
  learn(run, seed, model, sentences(strings, counted), 60);
  return counts_to(model);
}

}  // namespace

LessonResult reber_lesson(const LessonRun& run) {
  LessonResult result;
  const Index few = std::min<Index>(run.seeds, 3);  // of what is only there to be compared with
  LessonTable grammar{{"seed", "cell", "strings all right", "last but one right", "solved"}, {}};
  LessonTable counts{{"cell", "counts up to", "by seed"}, {}};
  Index solved = 0, vanilla = 0;
  for (const std::string cell : {"LSTM", "SimpleRNN"}) {
    const Index seeds = cell == "LSTM" ? run.seeds : few;
    run.note(fmt::format("{}: {} strings of the grammar; seeds: {}", cell, train_strings, seeds));
    for (Index i = 0; i < seeds; ++i) {
      const std::uint64_t seed = run.seed + static_cast<std::uint64_t>(i);
      const std::vector<std::string> learnt = reber_strings(train_strings, 2 * seed);
      const std::vector<std::string> asked = unseen(learnt, 2 * seed + 1);
      Sequential model = network(cell, static_cast<Index>(reber_symbols.size()), 32);
      learn(run, seed, model, sentences(learnt, reber_symbols), epochs);
      if (run.interrupted()) return {};
      const Told right = told(model, asked);
      if (cell == "LSTM" && i == 0) result.picture = picture(run, model, asked[0]);
      const bool all = right.all == static_cast<Index>(asked.size());
      (cell == "LSTM" ? solved : vanilla) += all;
      grammar.rows.push_back(
          {std::to_string(seed), cell, fmt::format("{} of {}", right.all, asked.size()),
           fmt::format("{} of {}", right.last_but_one, asked.size()), all ? "yes" : "no"});
    }
  }
  Index furthest = 0;
  for (const std::string cell : {"LSTM", "GRU", "SimpleRNN"}) {
    run.note(fmt::format("{}: a^n b^n, n to {}", cell, most_learnt));
    std::vector<Index> reached;
    std::string by_seed;
    for (Index i = 0; i < few; ++i) {
      reached.push_back(learn_to_count(run, run.seed + static_cast<std::uint64_t>(i), cell));
      if (run.interrupted()) return {};
      by_seed += (by_seed.empty() ? "" : ", ") + std::to_string(reached.back());
    }
    const Index best = *std::ranges::max_element(reached);
    if (cell == "LSTM") furthest = best;
    counts.rows.push_back({cell, "n = " + std::to_string(best), by_seed});
  }
  result.tables = {grammar, counts};
  result.seen = fmt::format(
      "A string of the embedded Reber grammar ends with the T or P that it began with: that one "
      "symbol has to be carried past all others. With {} of {} seeds the LSTM puts the symbols "
      "that may come, and only those, first, at every step of {} strings that it has not seen; the "
      "SimpleRNN with {} of {}. Of a^n b^n they learnt n up to {}; the LSTM counts to {} (asked up "
      "to "
      "{}).",
      solved, run.seeds, test_strings, vanilla, few, most_learnt, furthest, longest_asked);
  return result;
}

}  // namespace unroll::apps
