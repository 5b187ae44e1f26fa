// unroll forecast: the main job.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/forecast_bundle.h"
#include "apps/forecast_text.h"
#include "apps/output.h"
#include "apps/signals.h"

namespace unroll::apps {

namespace {

struct Flags {
  CommonFlags common;
  SeriesFlags data;
  ForecastOptions options;
  std::string loss = "huber";
  std::string plot = "forecast.png";
  bool no_plot = false;
  bool lesson = false;
  std::string save;
  bool plot_asked = false;
  std::vector<Flag> fixed;  ///< what --lesson decides itself
};

bool draws(const Flags& flags) { return !flags.no_plot && flags.plot != "/dev/null"; }

/// What can be refused before any work is done.
void check(Flags& flags) {
  for (const Flag& flag : flags.fixed) {
    if (!flags.lesson || !flag.given()) continue;
    throw Error(
        ErrorKind::value, "--lesson decides " + flag.name() + " itself",
        {.want = "the lesson's protocol, to the letter", .hint = "leave one of the two out"});
  }
  flags.options.loss = parse_loss(flags.loss);
  if (!flags.save.empty()) check_writable(flags.save);
  if (!draws(flags) || flags.plot == "-") return;
  if (!flags.plot.ends_with(".png") && !flags.plot.ends_with(".svg")) {
    throw Error(ErrorKind::value, "--plot " + flags.plot + ": no such kind of picture",
                {.want = "FILE.png, FILE.svg, or - for the terminal"});
  }
  check_writable(flags.plot);
}

/// "unroll forecast · vix.csv, column CLOSE: 9,235 values, 1990-01-02 to 2026-07-23".
std::string opening(const Flags& flags, const Series& series) {
  const Index rows = series.values.shape()[0];
  std::string text = "unroll forecast · ";
  text += flags.data.file.empty() ? "embedded series \"reef\", a simulated volatility index"
                                  : series.name;
  text += ": " + grouped(rows) + (rows == 1 ? " value" : " values");
  if (!series.dates.empty()) {
    text += ", " + to_iso(series.dates.front()) + " to " + to_iso(series.dates.back());
  }
  return wrapped(text, 2) + "\n";
}

Forecast run_protocol(const Flags& flags, const Series& series,
                      const std::function<void(const ForecastReport&)>& planned) {
  const bool moving = error_is_terminal();
  const Progress progress = flags.common.quiet ? Progress() : progress_line(std::cerr, moving);
  const std::function<bool()> interrupted = [] { return InterruptGuard::signal() != 0; };
  const InterruptGuard guard;
  if (flags.lesson) {
    return forecast_as_in_lesson(series, {.seed = flags.common.seed,
                                          .threads = flags.common.threads,
                                          .planned = planned,
                                          .progress = progress,
                                          .interrupted = interrupted,
                                          .diagnose = flags.options.diagnose});
  }
  ForecastOptions options = flags.options;
  options.seed = flags.common.seed;
  options.threads = flags.common.threads;
  options.planned = planned;
  options.progress = progress;
  options.interrupted = interrupted;
  return forecast(series, options);
}

void draw(const Flags& flags, const Series& series, const ForecastReport& report,
          const std::string& line) {
  if (!draws(flags)) return;
  const Plot plot = picture(series, report, line);
  try {
    if (flags.plot != "-") {
      plot.save(flags.plot);
      if (!flags.common.quiet) say("picture: " + flags.plot);
    } else if (flags.common.json) {
      say(plot.text(80, 24));
    } else {
      write_out("\n" + plot.text(std::min(terminal_columns(), 1000), 24));
    }
  } catch (const Error& error) {
    // A machine without gnuplot still gets its forecast; only who asked for a picture is refused.
    if (flags.plot_asked || error.kind() != ErrorKind::unsupported) throw;
    say(std::string("unroll: no picture: ") + error.what());
  }
}

int run(Flags& flags, const std::string& line) {
  check(flags);
  const Series series = read_series(flags.data);
  const auto planned = [&](const ForecastReport& plan) {
    if (!flags.common.json && !flags.common.quiet) {
      write_out(opening(flags, series) + heading(series, plan));
    }
  };
  Forecast done = run_protocol(flags, series, planned);
  const ForecastReport& report = done.report;
  if (!flags.common.quiet || report.interrupted) say("  " + ending(report));
  if (!flags.save.empty()) {
    const std::string column = series.name.substr(series.name.rfind("column ") + 7);
    save_forecaster({.forecaster = done.forecaster,
                     .model = report.model,
                     .column = column,
                     .horizon = report.horizon},
                    series, flags.save);
    if (!flags.common.quiet || report.interrupted) say("  saved " + flags.save);
  }
  if (report.interrupted) return 128 + InterruptGuard::signal();
  if (flags.common.json) {
    write_out(to_json(report).dump(2) + "\n");
  } else {
    write_out((flags.common.quiet ? "" : "\n") + result_text(report));
  }
  draw(flags, series, report, line);
  const bool invite = flags.data.file.empty() && !flags.common.quiet && !flags.common.json;
  if (invite) say("\nTry your own:  unroll forecast data.csv --column PRICE");
  return 0;
}

void add_model_flags(Command& command, Flags& flags) {
  ForecastOptions& o = flags.options;
  command.group("model");
  flags.fixed = {
      command.choice("--model", o.model, {"simple_rnn", "gru", "lstm"},
                     "simple_rnn, gru or lstm (default gru)"),
      command.count("--units", o.units, "size of the recurrent layer (default 50)", 1, 16'384),
      command.count("--window", o.window, "values that it sees (default 50)"),
      command.choice("--target", o.target, {"level", "change"},
                     "what it predicts: the change from the last value, or the value itself "
                     "(default change)"),
      command.choice("--scaler", o.scaler, {"minmax", "standard", "robust", "none"},
                     "of its inputs: minmax, standard, robust or none (default standard)"),
      command.count("--horizon", o.horizon, "steps ahead that are evaluated (default 1)"),
      command.count("--steps", o.steps,
                    "values to forecast beyond the end (default: the horizon, at least 3)", 1,
                    1'000'000),
  };
}

void add_training_flags(Command& command, Flags& flags) {
  ForecastOptions& o = flags.options;
  command.group("training");
  const std::vector<Flag> more = {
      command.count("--epochs", o.epochs, "at most (default 50)"),
      command.count("--batch-size", o.batch_size, "(default 32)"),
      command.count("--patience", o.patience,
                    "epochs without a better validation loss before it stops (default 5)"),
      command.text("--loss", flags.loss, "NAME", "a loss by its Keras name (default huber)"),
      command.number("--learning-rate", o.learning_rate, "of Adam (default 0.001)"),
  };
  flags.fixed.insert(flags.fixed.end(), more.begin(), more.end());
  command.toggle("--diagnose", flags.options.diagnose,
                 "watches whether the gradient reaches the past, and warns where it vanishes or "
                 "explodes");
  command.toggle("--lesson", flags.lesson,
                 "the lesson's own protocol, to the letter, and what is wrong with it");
}

}  // namespace

Command forecast_command(const std::string& line) {
  auto flags = std::make_shared<Flags>();
  Command command("forecast",
                  "Forecasts a series: a network beside the simple forecasts it has to beat.",
                  "  unroll forecast\n"
                  "  unroll forecast prices.csv --column CLOSE --save model.unroll");
  command.group("data");
  command.text("FILE", flags->data.file, "",
               "a CSV file, an http(s) URL, or - for standard input; none: the embedded series");
  add_series(command, flags->data);
  add_model_flags(command, *flags);
  add_training_flags(command, *flags);
  command.group("output");
  const Flag plot =
      command.text("--plot", flags->plot, "FILE",
                   "picture to draw, .png or .svg, or - for the terminal (default forecast.png)");
  command.toggle("--no-plot", flags->no_plot, "no picture");
  command.text("--save", flags->save, "FILE", "keep the trained model, for unroll predict");
  add_common(command, flags->common);
  command.action([flags, plot, line] {
    flags->plot_asked = plot.given();
    return run(*flags, line);
  });
  return command;
}

}  // namespace unroll::apps
