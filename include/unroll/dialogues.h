// Dialogues: what people say in turn.
//
//   for (const Dialogue& lines : read_dialogues("chatterbot-english"))
//     std::cout << lines[0] << " -> " << lines[1] << "\n";
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

/// Lines in turn: a question, its answer, what was said to that, ...
using Dialogue = std::vector<std::string>;

/// Reads a file, or every .yml, .yaml and .tsv file of a folder, in the order of their names.
///   YAML: a map whose `conversations` are lists of lines, as ChatterBot's corpora have it.
///   TSV: a dialogue a line, what is said separated by tabs.
/// Blanks around a line are dropped, line ends inside it become blanks; dialogues of fewer than two
/// lines say nothing and are left out.
/// Throws: Error (file) for what cannot be read; Error (format) for what is neither, not UTF-8, too
///   deep, or has no dialogue; Error (unsupported) for YAML where unroll was built without
///   yaml-cpp.
std::vector<Dialogue> read_dialogues(const std::string& path);
/// The same of bytes; refusals call them `name`, whose ending says what they are.
std::vector<Dialogue> parse_dialogues(std::string_view bytes, const std::string& name);

}  // namespace unroll
