// Lessons: what recurrent networks are, run live: `unroll lesson NAME`.
//
// A lesson is a function in a file of apps/lessons/, and a line in the table of lesson.cpp. It
// trains and measures, and says what its numbers show; it prints nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll::apps {

/// A table of what was measured.
struct LessonTable {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

struct LessonResult {
  std::vector<LessonTable> tables;
  std::string seen;  ///< what the numbers show, in words that agree with them
  std::function<void(const std::string& path)> picture = {};  ///< draws it into a file
};

struct LessonRun {
  std::uint64_t seed = 7;
  Index seeds = 1;  ///< how many are run, from `seed` on, where a lesson repeats its measurement
  int threads = 0;
  std::string data;     ///< the folder of the data sets, or empty
  std::string command;  ///< kept in pictures
  /// Told what is being done, before it takes a while.
  std::function<void(const std::string&)> note;
  std::function<bool()> interrupted;
};

// apps/lessons/NAME.cpp each.
LessonResult feed_forward_lesson(const LessonRun& run);
LessonResult architectures_lesson(const LessonRun& run);
LessonResult areas_lesson(const LessonRun& run);
LessonResult space_lesson(const LessonRun& run);
LessonResult unrolled_lesson(const LessonRun& run);
LessonResult bptt_lesson(const LessonRun& run);
LessonResult reconstruction_lesson(const LessonRun& run);
LessonResult memory_lesson(const LessonRun& run);
LessonResult newer_lesson(const LessonRun& run);
LessonResult reber_lesson(const LessonRun& run);
LessonResult vanishing_lesson(const LessonRun& run);
LessonResult teacher_forcing_lesson(const LessonRun& run);

/// Random numbers for the lessons' made-up data: -1 or 1, and 0 .. count - 1, by position.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  float sign(Index position) const { return below(2, position) == 0 ? -1.0F : 1.0F; }
  Index below(Index count, Index position) const;
  /// Uniform in [-1, 1).
  float number(Index position) const;

 private:
  std::uint64_t seed_;
};

}  // namespace unroll::apps
