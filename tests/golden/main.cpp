// golden: compares unroll with numbers recorded from Keras.
//
//   golden [DIR] [--float64] [--only TEXT] [--must-run FILE]
//
// DIR holds folders of cases (NAME.json beside NAME.safetensors), files of many cases
// (activations.json, losses.json, ...), summary/ and text/; without it UNROLL_GOLDEN_DIR, or
// ../shared/golden. Prints a line for each failure, how many cases were
// skipped for want of what, and at last "N passed, N failed, N skipped".
// Exit codes: 0 all that ran passed, 1 failures, 2 bad usage.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/golden/cases.h"

namespace {

using namespace unroll;
using namespace unroll::golden;
namespace fs = std::filesystem;

constexpr const char* usage =
    "usage: golden [DIR] [--float64] [--only TEXT] [--must-run FILE]\n"
    "  DIR              reference data; default UNROLL_GOLDEN_DIR, or ../shared/golden\n"
    "  --float64        compute in double precision, compare with the .f64 values\n"
    "  --only TEXT      only cases with TEXT in their name, such as rnn/lstm\n"
    "  --must-run FILE  patterns of names, one a line; a case of these that is skipped, and a\n"
    "                   pattern without a case, is a failure\n";

struct Arguments {
  fs::path directory;
  DType dtype = DType::float32;
  std::string only;
  std::vector<std::string> must_run;
};

struct BadUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<std::string> patterns_in(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw BadUsage("cannot read " + path.string());
  std::vector<std::string> patterns;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') patterns.push_back(line);
  }
  return patterns;
}

fs::path default_directory() {
  const char* named = std::getenv("UNROLL_GOLDEN_DIR");
  return named != nullptr && *named != '\0' ? named : "../shared/golden";
}

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto next = [&] {
      if (i + 1 == words.size()) throw BadUsage(words[i] + " wants a value");
      return words[++i];
    };
    if (words[i] == "--float64") {
      arguments.dtype = DType::float64;
    } else if (words[i] == "--only") {
      arguments.only = next();
    } else if (words[i] == "--must-run") {
      arguments.must_run = patterns_in(next());
    } else if (words[i].starts_with("-") || !arguments.directory.empty()) {
      throw BadUsage("what is " + words[i] + "?");
    } else {
      arguments.directory = words[i];
    }
  }
  if (arguments.directory.empty()) arguments.directory = default_directory();
  if (!fs::is_directory(arguments.directory)) {
    throw BadUsage("no folder " + arguments.directory.string());
  }
  return arguments;
}

/// Files DIR/GROUP/NAME.json that have a NAME.safetensors beside them, in order of their names.
std::vector<fs::path> case_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& group : fs::directory_iterator(directory)) {
    if (!group.is_directory()) continue;
    for (const auto& file : fs::directory_iterator(group)) {
      fs::path numbers = file.path();
      if (numbers.extension() != ".json" || !fs::exists(numbers.replace_extension("safetensors"))) {
        continue;
      }
      files.push_back(file.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

Json read_json(const fs::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream);
}

void run_file(const fs::path& file, const std::string& name, DType dtype, Comparison& comparison) {
  Recorded recorded{.name = name, .spec = {}, .tensors = {}, .dtype = dtype};
  recorded.spec = read_json(file);
  recorded.tensors = read_safetensors(fs::path(file).replace_extension("safetensors"));
  const auto kind = recorded.spec.value("kind", "");
  if (kind == "graph") return run_graph(recorded, comparison);
  if (kind == "stateful") return run_stateful(recorded, comparison);
  if (kind == "training") return run_training(recorded, comparison);
  throw Skip("no cases of kind \"" + kind + "\"");
}

/// The files of one list of cases each, and what runs a case.
struct ListOfCases {
  const char* group;
  void (*run)(const Json&, DType, Comparison&);
};
constexpr ListOfCases lists_of_cases[] = {{"losses", run_loss},
                                          {"metrics", run_metric},
                                          {"optimizers", run_optimizer},
                                          {"schedules", run_schedule},
                                          {"initializers", run_initializer}};

void run_list(const ListOfCases& list, const Arguments& arguments, Report& report) {
  const fs::path file = arguments.directory / (std::string(list.group) + ".json");
  if (!fs::exists(file)) return;
  const Json whole = read_json(file);
  for (const Json& spec : whole.at("cases")) {
    const std::string name =
        std::string(list.group) + "/" +
        (spec.contains("name") ? spec.at("name").get<std::string>() : initializer_case_name(spec));
    if (name.find(arguments.only) == std::string::npos) continue;
    report.run(name, [&](Comparison& comparison) { list.run(spec, arguments.dtype, comparison); });
  }
}

/// Each table that a file summary/NAME.json lists.
void run_summaries(const Arguments& arguments, Report& report) {
  const fs::path folder = arguments.directory / "summary";
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const Json spec = read_json(file);
    for (const Json& variant : spec.at("variants")) {
      const auto recorded = variant.at("file").get<std::string>();
      const std::string name = "summary/" + recorded;
      if (name.find(arguments.only) == std::string::npos) continue;
      report.run(name, [&](Comparison& comparison) {
        run_summary(spec, variant, folder / recorded, comparison);
      });
    }
  }
}

/// The files text/NAME.json.
void run_text_files(const Arguments& arguments, Report& report) {
  const fs::path folder = arguments.directory / "text";
  if (!fs::is_directory(folder)) return;
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) run_texts(read_json(file), arguments.only, report);
}

bool run_all(const Arguments& arguments) {
  Report report;
  report.demand(arguments.must_run);
  for (const fs::path& file : case_files(arguments.directory)) {
    const std::string name = file.parent_path().filename().string() + "/" + file.stem().string();
    if (name.find(arguments.only) == std::string::npos) continue;
    report.run(name,
               [&](Comparison& comparison) { run_file(file, name, arguments.dtype, comparison); });
  }
  const fs::path activations = arguments.directory / "activations.json";
  if (fs::exists(activations)) {
    run_activations(activations, arguments.dtype, arguments.only, report);
  }
  for (const ListOfCases& list : lists_of_cases) run_list(list, arguments, report);
  run_summaries(arguments, report);
  run_text_files(arguments, report);
  return report.finish();
}

}  // namespace

int main(int count, char** words) {
  try {
    return run_all(parse({words + 1, words + count})) ? 0 : 1;
  } catch (const BadUsage& error) {
    fmt::print(stderr, "golden: {}\n{}", error.what(), usage);
    return 2;
  }
}
