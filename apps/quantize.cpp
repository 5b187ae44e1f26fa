// unroll quantize: a model with fewer bits of weights, and what that costs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/forecast_bundle.h"
#include "apps/language_bundle.h"
#include "apps/language_flags.h"
#include "apps/output.h"
#include "src/io/json.h"
#include "unroll/stream.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Flags {
  CommonFlags common;
  SeriesFlags data;
  std::string model, out, weights = "int8";
};

/// How far off a model is; less is better.
struct Score {
  std::string what;  ///< "mean absolute error"
  double value = 0;
  Index count = 0;  ///< of forecasts
};

/// One step ahead, of the last fifth of the rows, step by step as a stream is read.
Score score_forecasts(const std::string& path, const Series& series) {
  const SavedForecaster saved = load_forecaster(path);
  const Forecaster& forecaster = saved.forecaster;
  const Index rows = series.values.shape()[0], window = forecaster.window();
  const Index first = std::max(rows - rows / 5, window);
  if (first >= rows) {
    throw Error(ErrorKind::value, series.name + ": too few rows for the window",
                {.got = grouped(rows), .want = "more than " + grouped(window)});
  }
  Session session(PackedModel(forecaster.model(), {.weights = saved.weights}));
  const Tensor inputs = forecaster.scaled(series.values);
  const auto truth = series.values.values<double>();
  double sum = 0;
  for (Index row = first; row < rows; ++row) {
    session.reset();
    std::span<const float> output;
    for (Index t = row - window; t < row; ++t) output = session.step({inputs.floats() + t, 1});
    const double scaled = forecaster.output().inverse_transform(static_cast<double>(output[0]), 0);
    const double last = truth[static_cast<std::size_t>(row - 1)];
    const double value = forecaster.target() == "change" ? last + scaled : scaled;
    sum += std::abs(value - truth[static_cast<std::size_t>(row)]);
  }
  return {"mean absolute error", sum / static_cast<double>(rows - first), rows - first};
}

/// Nats a token of the last tenth of a text, read as a writer reads it.
Score score_language(const std::string& path, const std::string& text) {
  constexpr Index context = 200, most = 20'000;
  const SavedLanguage saved = saved_language(load_bundle(path), path);
  const std::vector<std::int32_t> ids = saved.encoder.encode(text);
  const auto count = static_cast<Index>(ids.size());
  const Index first = std::max<Index>({count - count / 10, count - most, 1});
  if (first >= count) {
    throw Error(ErrorKind::value, "a text too short to be foretold",
                {.got = grouped(count) + " tokens", .want = "at least 10"});
  }
  LanguageReader reader(saved.model);
  double sum = 0;
  for (Index i = std::max<Index>(first - context, 1); i < count; ++i) {
    const auto logits = reader.read(ids[static_cast<std::size_t>(i - 1)]);
    if (i < first) continue;
    const double largest = static_cast<double>(*std::ranges::max_element(logits));
    double total = 0;
    for (const float logit : logits) total += std::exp(static_cast<double>(logit) - largest);
    const auto id = static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    sum -= static_cast<double>(logits[id]) - largest - std::log(total);
  }
  return {"nats a token", sum / static_cast<double>(count - first), count - first};
}

/// Scores any file of the model's task on the same data.
std::function<Score(const std::string&)> scorer(const Flags& flags, const Bundle& bundle) {
  const std::string task = task_of(bundle);
  if (task == "forecast") {
    const Series series = read_series(flags.data, bundle.property("column"));
    return [series](const std::string& path) { return score_forecasts(path, series); };
  }
  if (task == "generate") {
    if (flags.data.file.empty()) {
      throw Error(ErrorKind::value, "a language model is tried on a text",
                  {.want = "--data FILE", .hint = "the text that it was trained on will do"});
    }
    const std::string text = read_text_file(flags.data.file);
    return [text](const std::string& path) { return score_language(path, text); };
  }
  throw Error(ErrorKind::unsupported, flags.model + ": its task has no streams",
              {.got = task.empty() ? "no task" : "task " + task, .want = "forecast or generate"});
}

int run(const Flags& flags) {
  check_writable(flags.out);
  Bundle bundle = load_bundle(flags.model);
  const auto score = scorer(flags, bundle);
  const Score before = score(flags.model);
  bundle.weights = flags.weights == "int8" ? WeightType::int8 : WeightType::bfloat16;
  save_bundle(bundle, flags.out);
  const Score after = score(flags.out);
  const double loss = 100 * (after.value / before.value - 1);
  const auto bytes = [](const std::string& path) {
    return std::filesystem::is_regular_file(path) ? std::filesystem::file_size(path) : 0;
  };
  if (flags.common.json) {
    write_out(Json{{"model", flags.model},
                   {"out", flags.out},
                   {"weights", flags.weights},
                   {"metric", before.what},
                   {"count", before.count},
                   {"before", before.value},
                   {"after", after.value},
                   {"loss_percent", loss},
                   {"bytes_before", bytes(flags.model)},
                   {"bytes_after", bytes(flags.out)}}
                  .dump(2) +
              "\n");
    return 0;
  }
  write_out(fmt::format("{} of {}: {:.5g}, with {} {:.5g}: {:.2f} % {}\n", before.what,
                        grouped(before.count), before.value, flags.weights, after.value,
                        std::abs(loss), loss > 0 ? "worse" : "better"));
  if (!flags.common.quiet) {
    say(fmt::format("saved to {}: {} bytes, before {}", flags.out,
                    grouped(static_cast<long long>(bytes(flags.out))),
                    grouped(static_cast<long long>(bytes(flags.model)))));
  }
  return 0;
}

}  // namespace

Command quantize_command() {
  auto flags = std::make_shared<Flags>();
  Command command(
      "quantize", "Keeps a model with fewer bits of weights, and says what that costs.",
      "  unroll quantize model.unroll small.unroll --data prices.csv\n"
      "  unroll quantize language.unroll small.unroll --data text.txt --weights bfloat16");
  command.group("model");
  command.text("MODEL", flags->model, "", "a forecast or a language model").required();
  command.text("OUT", flags->out, "", "the file to write").required();
  command.choice("--weights", flags->weights, {"int8", "bfloat16"},
                 "how kernels are kept: a quarter or half of their bytes (default int8)");
  command.group("data");
  command.text("--data", flags->data.file, "FILE",
               "what it is tried on: a table, whose last fifth counts, or a text, whose last tenth "
               "does");
  add_series(command, flags->data);
  add_common(command, flags->common);
  command.action([flags] { return run(*flags); });
  return command;
}

}  // namespace unroll::apps
