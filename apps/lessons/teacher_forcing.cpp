// Teacher forcing: a decoder that has only ever seen true words, on its own words.
#include <fmt/format.h>

#include "apps/lesson.h"
#include "unroll/plot.h"
#include "unroll/seq2seq.h"

namespace unroll::apps {

namespace {

// Ids 0 to 3 are padding, unknown, begin and end; the others are what is copied.
constexpr Index symbols = 3, vocabulary = 4 + symbols;
constexpr Index shortest = 16, longest = 24;
constexpr std::size_t learnt = 3000, watched = 300;
constexpr Index batch_size = 32, epochs = 8, updates = epochs * learnt / batch_size;

Seq2SeqPairs copies(const Draws& draws, std::size_t count, Index& at) {
  Seq2SeqPairs pairs;
  for (std::size_t i = 0; i < count; ++i) {
    Ids ids(static_cast<std::size_t>(shortest + draws.below(longest - shortest + 1, at++)));
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(4 + draws.below(symbols, at++));
    pairs.sources.push_back(ids);
    pairs.targets.push_back(std::move(ids));
  }
  return pairs;
}

/// Shares of symbols (and ends) that are right: after the true ones, after its own; and of
/// sequences that are right as a whole.
struct Score {
  double forced = 0, free = 0, whole = 0;
  double gap() const { return forced - free; }
};

double share(const Seq2Seq& model, const Seq2SeqPairs& pairs, const std::vector<Ids>& said) {
  double right = 0, all = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    Ids truth = pairs.targets[i];
    truth.push_back(model.end());
    for (std::size_t t = 0; t < truth.size(); ++t) {
      right += t < said[i].size() && said[i][t] == truth[t];
    }
    all += static_cast<double>(truth.size());
  }
  return right / all;
}

Score score(const Seq2Seq& model, const Seq2SeqPairs& pairs) {
  std::vector<Ids> said;
  double whole = 0;
  for (const auto& found : model.decode(pairs.sources, {.max_length = longest + 2})) {
    whole += found[0].ids == pairs.targets[said.size()];
    said.push_back(found[0].ids);
    if (found[0].ended) said.back().push_back(model.end());
  }
  return {share(model, pairs, model.forced(pairs.sources, pairs.targets)),
          share(model, pairs, said), whole / static_cast<double>(said.size())};
}

struct Way {
  const char* name;
  ForcingSchedule forcing;
};

const std::vector<Way>& ways() {
  static const std::vector<Way> all{
      {"always the true one", {}},
      {"linear, 1 to 0.2", {.kind = "linear", .from = 1, .to = 0.2, .steps = updates * 3 / 4}},
      {"inverse sigmoid, 1 to 0",
       {.kind = "inverse_sigmoid", .from = 1, .to = 0, .steps = updates}}};
  return all;
}

struct Course {
  Score last;
  std::vector<double> forced, free;
};

Course trained(const LessonRun& run, const Way& way, const Seq2SeqPairs& pairs,
               const Seq2SeqPairs& held) {
  Course course;
  const Seq2Seq model({.source_vocabulary = vocabulary,
                       .target_vocabulary = vocabulary,
                       .shared_vocabulary = true,
                       .units = 16,
                       .bidirectional = false,
                       .embedding = 8,
                       .dropout = 0});
  train(model, pairs,
        {.batch_size = batch_size,
         .epochs = epochs,
         .learning_rate = 5e-3,
         .label_smoothing = 0,
         .forcing = way.forcing,
         .seed = run.seed,
         .threads = run.threads,
         .score = [&](const Seq2Seq& now) -> Logs {
           course.last = score(now, held);
           course.forced.push_back(course.last.forced);
           course.free.push_back(course.last.free);
           return {{"val_free", course.last.free}};
         },
         .interrupted = run.interrupted});
  return course;
}

Tensor line_of(const std::vector<double>& values) {
  Tensor line({static_cast<Index>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) {
    line.floats()[i] = static_cast<float>(100 * values[i]);
  }
  return line;
}

std::string percent(double value) { return fmt::format("{:.1f} %", 100 * value); }

}  // namespace

LessonResult teacher_forcing_lesson(const LessonRun& run) {
  Index at = 0;
  const Draws draws(run.seed);
  const Seq2SeqPairs pairs = copies(draws, learnt, at), held = copies(draws, watched, at);
  LessonTable table{{"the decoder's next input", "forced", "free-running", "gap", "whole copies"},
                    {}};
  PlotOptions plot{.title = "Copying: right symbols after true ones, and after own ones",
                   .x_label = "epoch",
                   .y_label = "right, per cent",
                   .command = run.command};
  std::vector<Score> scores;
  for (const Way& way : ways()) {
    run.note(fmt::format("next input: {}", way.name));
    const Course course = trained(run, way, pairs, held);
    if (run.interrupted()) return {};
    const Score& s = course.last;
    scores.push_back(s);
    table.rows.push_back(
        {way.name, percent(s.forced), percent(s.free), percent(s.gap()), percent(s.whole)});
    plot.lines.push_back({fmt::format("{}: forced", way.name), line_of(course.forced)});
    plot.lines.push_back({fmt::format("{}: free", way.name), line_of(course.free)});
  }
  const double least = std::min(scores[1].gap(), scores[2].gap());
  LessonResult result;
  result.tables = {table};
  result.seen = fmt::format(
      "A decoder that is always given the true symbol is right {} of the time, but {} on its own "
      "symbols: one mistake leads to a place where it has never been taught. That gap of {} {} {} "
      "where it is given its own symbols more and more while it learns (scheduled sampling).",
      percent(scores[0].forced), percent(scores[0].free), percent(scores[0].gap()),
      least < scores[0].gap() ? "shrinks to" : "does not shrink: it is", percent(least));
  result.picture = [plot](const std::string& path) { Plot(plot).save(path); };
  return result;
}

}  // namespace unroll::apps
