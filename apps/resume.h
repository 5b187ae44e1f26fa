// Trainings that go on: the command that began one is kept in its checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "unroll/callbacks.h"

namespace unroll::apps {

/// Where a training keeps itself, and whether it goes on from there.
struct CheckpointFlags {
  std::string checkpoint;  ///< empty: beside the model
  std::string resume;
};

/// The file that a training writes: that of --resume or --checkpoint, or the model's with another
/// ending. Throws: Error (value) where a file that nobody said to go on with is there already, or
/// none to go on with; Error (file) where it cannot be written.
std::string checkpoint_path(const CheckpointFlags& flags, const std::string& model);

/// Keeps the words of a command in the fit's record.
std::shared_ptr<Callback> keep_command(std::vector<std::string> words);
/// The words kept in a checkpoint. Throws: Error (file), Error (format).
std::vector<std::string> kept_command(const std::string& path);

}  // namespace unroll::apps
