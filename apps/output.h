// Where the command writes: data to standard output, everything else to standard error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unroll/error.h"

namespace unroll::apps {

/// Nobody reads standard output any more: the end, but no failure.
struct ClosedPipe {};

/// Writes to standard output, at once. Throws: ClosedPipe; Error (file) where it cannot be written.
void write_out(std::string_view text);
/// Writes a line to standard error; what happens to it matters to nobody.
void say(std::string_view line);
/// A refusal or failure as the user sees it: "unroll: ..." and its lines of details.
void complain(const Error& error);

/// Whether standard error (standard output) is a terminal that understands control sequences.
bool error_is_terminal();
bool output_is_terminal();
/// Whether somebody types into standard input.
bool input_is_terminal();
/// The width of the terminal that standard output is, else 80.
int terminal_columns();

/// Cuts a text into lines of at most `width` characters, at blanks; later lines begin with `indent`
/// blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width = 80);
/// How many characters a UTF-8 text has.
std::size_t characters(std::string_view text);
/// "9,000".
std::string grouped(long long value);

/// Refuses now what could not be written when the work is done.
/// Throws: Error (file) for a folder, a folder that is missing, or a place that may not be written.
void check_writable(const std::string& path);

/// Arguments as one would type them, quoted where they need it.
std::string command_line(const std::vector<std::string>& words);

}  // namespace unroll::apps
