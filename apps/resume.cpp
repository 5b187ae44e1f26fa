#include "apps/resume.h"

#include <filesystem>

#include "apps/output.h"
#include "src/io/file.h"
#include "src/io/json.h"
#include "src/io/record_file.h"
#include "unroll/error.h"
#include "unroll/record.h"

namespace unroll::apps {

namespace {

constexpr Index most_bytes = Index{64} << 30;
constexpr const char* entry = "command";

class KeepCommand : public Callback {
 public:
  explicit KeepCommand(std::vector<std::string> words) : words_(std::move(words)) {}
  void save(Record& record) const override { record.set(entry, io::Json(words_).dump()); }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::string checkpoint_path(const CheckpointFlags& flags, const std::string& model) {
  const bool resumes = !flags.resume.empty();
  const std::string path =
      resumes ? flags.resume
      : !flags.checkpoint.empty()
          ? flags.checkpoint
          : std::filesystem::path(model).replace_extension(".checkpoint").string();
  const bool there = std::filesystem::is_regular_file(path);
  if (resumes && !there) {
    throw Error(ErrorKind::file, path + ": no checkpoint to go on with",
                {.got = "no such file", .hint = "a training writes one while it runs"});
  }
  if (!resumes && there) {
    throw Error(ErrorKind::value, path + ": a training that has not ended is kept there",
                {.hint = "--resume " + command_line({path}) +
                         " goes on with it; to begin anew, remove the file or name another with "
                         "--checkpoint"});
  }
  check_writable(path);
  return path;
}

std::shared_ptr<Callback> keep_command(std::vector<std::string> words) {
  return std::make_shared<KeepCommand>(std::move(words));
}

std::vector<std::string> kept_command(const std::string& path) {
  const Record record = io::parse_record(io::read_file(path, most_bytes), path);
  for (const auto& [name, text] : record.texts()) {
    if (!name.starts_with("callbacks/") || !name.ends_with(std::string("/") + entry)) continue;
    const auto words = io::Json::parse(text).value_or(io::Json());
    std::vector<std::string> result;
    for (const io::Json& word : words) {
      if (word.is_string()) result.push_back(word.text());
    }
    if (!result.empty()) return result;
  }
  throw Error(ErrorKind::format, path + ": a backup, but not of a command's training",
              {.hint = "give the text and the flags that it was begun with"});
}

}  // namespace unroll::apps
