// unroll lesson: the concepts of recurrent networks, each run live in seconds.
#include "apps/lesson.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/flags.h"
#include "apps/output.h"
#include "apps/signals.h"
#include "src/base/random.h"
#include "src/io/json.h"

namespace unroll::apps {

namespace {

using io::Json;

struct Lesson {
  const char* name;
  const char* purpose;
  LessonResult (*run)(const LessonRun&);
  Index seeds = 0;  ///< that it runs if it is not told; 0: it has nothing to repeat
};

/// In the order in which one would read them.
constexpr std::array lessons{
    Lesson{"feed-forward", "a network without memory beside one with it, on the same sequences",
           feed_forward_lesson},
    Lesson{"architectures", "one-to-one, one-to-many, many-to-one, many-to-many: shapes and tasks",
           architectures_lesson},
    Lesson{"areas", "lateral and feedback connections: what further passes bring on digits",
           areas_lesson, 1},
    Lesson{"space", "areas unrolled in space: what is drawn often, and shares its weights",
           space_lesson},
    Lesson{"unrolled", "a recurrent network is a deep feed-forward one whose layers share weights",
           unrolled_lesson},
    Lesson{"bptt", "backpropagation through time by hand, beside what unroll computes",
           bptt_lesson},
    Lesson{"reconstruction", "a Boltzmann machine gives images again through the same weights",
           reconstruction_lesson},
    Lesson{"memory", "SimpleRNN, GRU and LSTM: cost, and how far they remember, on three problems",
           memory_lesson, 1},
    Lesson{"newer", "minGRU, minLSTM, LRU, QRNN, SRU, IndRNN and an echo state network by a GRU",
           newer_lesson},
    Lesson{"reber", "the embedded Reber grammar and a^n b^n: which symbols may come next",
           reber_lesson, 10},
    Lesson{"vanishing", "what is left of a gradient after 50 steps, by cell and by first weights",
           vanishing_lesson},
    Lesson{"teacher-forcing", "a decoder on true words beside its own, and scheduled sampling",
           teacher_forcing_lesson},
};

struct Flags {
  CommonFlags common;
  std::string name;
  std::string plot;
  std::string data;
  Index seeds = 0;
};

/// Where the data sets are: --data, or UNROLL_DATA_DIR.
std::string data_folder(const std::string& given) {
  const char* known = std::getenv("UNROLL_DATA_DIR");
  if (given.empty()) return known == nullptr ? "" : known;
  if (std::filesystem::is_directory(given)) return given;
  throw Error(ErrorKind::file, "--data " + given + ": no such folder");
}

std::string aligned(const LessonTable& table) {
  std::vector<std::size_t> widths;
  for (const std::string& column : table.columns) widths.push_back(characters(column));
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], characters(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = " ";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      // Words to the left, what they have to the right.
      const std::string space(widths[i] - characters(cells[i]), ' ');
      text += " " + (i == 0 ? cells[i] + space : " " + space + cells[i]);
    }
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text = line(table.columns);
  for (const auto& row : table.rows) text += line(row);
  return text;
}

Json json_of(const Lesson& lesson, const LessonResult& result, double seconds) {
  Json tables = Json::array();
  for (const LessonTable& table : result.tables) {
    Json rows = Json::array();
    for (const auto& row : table.rows) {
      Json object = Json::object();
      for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i]] = row[i];
      rows.push_back(object);
    }
    tables.push_back(rows);
  }
  return {{"lesson", lesson.name}, {"tables", tables}, {"seen", result.seen}, {"seconds", seconds}};
}

std::string list_text() {
  std::string text = "unroll lesson NAME runs one of these:\n";
  for (const Lesson& lesson : lessons) {
    text += fmt::format("  {:<15} {}\n", lesson.name, lesson.purpose);
  }
  return text;
}

int run_lesson(const Flags& flags, const std::string& line) {
  if (flags.name.empty()) {
    write_out(list_text());
    return 0;
  }
  const auto lesson =
      std::ranges::find_if(lessons, [&](const Lesson& one) { return one.name == flags.name; });
  if (flags.seeds > 0 && lesson->seeds == 0) {
    throw Error(ErrorKind::value, "--seeds: this lesson has nothing to repeat",
                {.got = flags.name, .hint = "--seed N gives it other random numbers"});
  }
  if (!flags.plot.empty()) check_writable(flags.plot);
  const InterruptGuard guard;
  const bool quiet = flags.common.quiet || flags.common.json;
  const auto begun = std::chrono::steady_clock::now();
  const LessonRun run{.seed = flags.common.seed,
                      .seeds = flags.seeds > 0 ? flags.seeds : lesson->seeds,
                      .threads = flags.common.threads,
                      .data = data_folder(flags.data),
                      .command = line,
                      .note =
                          [quiet](const std::string& what) {
                            if (!quiet) say("  " + what);
                          },
                      .interrupted = [] { return InterruptGuard::signal() != 0; }};
  if (!quiet) say(fmt::format("unroll lesson {}: {}", lesson->name, lesson->purpose));
  const LessonResult result = lesson->run(run);
  if (const int signal = InterruptGuard::signal(); signal != 0) return 128 + signal;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (flags.common.json) {
    write_out(json_of(*lesson, result, took.count()).dump(2) + "\n");
  } else {
    for (const LessonTable& table : result.tables) write_out(aligned(table) + "\n");
    write_out(wrapped(result.seen, 0) + "\n");
  }
  if (flags.plot.empty()) return 0;
  result.picture(flags.plot);
  if (!quiet) say("picture: " + flags.plot);
  return 0;
}

}  // namespace

Index Draws::below(Index count, Index position) const {
  return base::Random(seed_).below(count, static_cast<std::uint64_t>(position));
}

float Draws::number(Index position) const {
  return static_cast<float>(2 * base::Random(seed_).uniform(static_cast<std::uint64_t>(position)) -
                            1);
}

Command lesson_command(const std::string& line) {
  auto flags = std::make_shared<Flags>();
  Command command("lesson", "Runs a lesson on recurrent networks and says what it showed.",
                  "  unroll lesson\n  unroll lesson vanishing --plot vanishing.svg");
  std::vector<std::string> names;
  for (const Lesson& lesson : lessons) names.emplace_back(lesson.name);
  command.group("lesson");
  command.choice("NAME", flags->name, names, "which one; without a name they are listed");
  command.text("--plot", flags->plot, "FILE", "draws what is to be seen: .png or .svg");
  command.text("--data", flags->data, "FOLDER",
               "of the data sets that some lessons use where they are there (default: "
               "UNROLL_DATA_DIR)");
  command.count("--seeds", flags->seeds,
                "runs a measurement with so many seeds, from --seed on (areas, memory, reber)");
  add_common(command, flags->common);
  command.action([flags, line] { return run_lesson(*flags, line); });
  return command;
}

}  // namespace unroll::apps
