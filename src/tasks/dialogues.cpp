#include "unroll/dialogues.h"

#include <algorithm>
#include <filesystem>

#include "src/data/source.h"
#include "src/data/yaml.h"
#include "src/text/utf8.h"
#include "unroll/error.h"

namespace unroll {

namespace {

constexpr const char* blanks = " \t\r\n";

bool is_yaml(std::string_view name) { return name.ends_with(".yml") || name.ends_with(".yaml"); }
bool is_tsv(std::string_view name) { return name.ends_with(".tsv"); }

std::string trimmed(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Dialogue cut(std::string_view line) {
  Dialogue said;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find('\t', at), line.size());
    said.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return said;
}

std::vector<Dialogue> lines_of(std::string_view bytes) {
  std::vector<Dialogue> all;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    all.push_back(cut(bytes.substr(0, end)));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return all;
}

Error none_in(const std::string& name) {
  return Error(ErrorKind::format, name + ": no dialogues",
               {.want = "at least one of two lines: something said, and what is said to that"});
}

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && (is_yaml(path) || is_tsv(path))) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<Dialogue> parse_dialogues(std::string_view bytes, const std::string& name) {
  if (const auto wrong = text::first_invalid(bytes)) throw text::not_utf8(bytes, *wrong, name);
  if (!is_yaml(name) && !is_tsv(name)) {
    throw Error(ErrorKind::format, name + ": no kind of dialogues that is known",
                {.want = "NAME.yml, NAME.yaml or NAME.tsv"});
  }
  std::vector<Dialogue> found;
  for (Dialogue& said :
       is_yaml(name) ? data::yaml_lists(bytes, "conversations", name) : lines_of(bytes)) {
    Dialogue lines;
    for (std::string& line : said) {
      line = trimmed(std::move(line));
      if (!line.empty()) lines.push_back(std::move(line));
    }
    if (lines.size() >= 2) found.push_back(std::move(lines));
  }
  if (found.empty()) throw none_in(name);
  return found;
}

std::vector<Dialogue> read_dialogues(const std::string& path) {
  if (!std::filesystem::is_directory(path)) {
    return parse_dialogues(data::read_source(path, {}).view(), data::source_name(path));
  }
  std::vector<Dialogue> all;
  for (const std::string& file : files_of(path)) {
    for (Dialogue& one : parse_dialogues(data::read_source(file, {}).view(), file)) {
      all.push_back(std::move(one));
    }
  }
  if (all.empty()) throw none_in(path);
  return all;
}

}  // namespace unroll
