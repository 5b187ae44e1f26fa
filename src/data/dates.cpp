#include "unroll/dates.h"

#include <cstdio>

namespace unroll {

namespace {

using namespace std::chrono;

/// Reads a text from its front; each step says whether it found what it looked for.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool take(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_any(std::string_view wanted) {
    return !text_.empty() && wanted.find(text_.front()) != std::string_view::npos &&
           take(text_.front());
  }
  /// A number of `least` to `most` digits.
  bool number(int least, int most, int& value) {
    value = 0;
    int digits = 0;
    for (; digits < most && !text_.empty() && is_digit(text_.front()); ++digits) {
      value = 10 * value + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    return digits >= least;
  }
  void skip(char unwanted) {
    while (take(unwanted)) {
    }
  }
  bool skip_digits() {
    const auto before = text_.size();
    while (!text_.empty() && is_digit(text_.front())) text_.remove_prefix(1);
    return text_.size() < before;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view text_;
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<Timestamp> day(int y, int m, int d) {
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            std::chrono::day(static_cast<unsigned>(d))};
  if (y < 1 || !date.ok()) return std::nullopt;
  return Timestamp(sys_days(date));
}

/// "05", "05:07", "05:07.25" after the hour; the seconds since the hour.
bool minutes_and_seconds(Cursor& text, int& total) {
  int minute = 0, second = 0;
  if (!text.take(':') || !text.number(2, 2, minute) || minute > 59) return false;
  if (text.take(':')) {
    if (!text.number(2, 2, second) || second > 59) return false;
    if (text.take_any(".,") && !text.skip_digits()) return false;
  }
  total = 60 * minute + second;
  return true;
}

/// "Z", "+02", "+0200" or "+02:00"; the seconds by which the zone is ahead of UTC.
bool zone(Cursor& text, int& ahead) {
  ahead = 0;
  if (text.at_end() || text.take_any("Zz")) return true;
  const bool plus = text.take('+');
  if (!plus && !text.take('-')) return false;
  int hours = 0, minutes = 0;
  if (!text.number(2, 2, hours) || hours > 23) return false;
  const bool colon = text.take(':');
  if ((colon || !text.at_end()) && (!text.number(2, 2, minutes) || minutes > 59)) return false;
  ahead = (plus ? 1 : -1) * (3600 * hours + 60 * minutes);
  return true;
}

std::optional<Timestamp> iso_time(Cursor& text, Timestamp date) {
  int hour = 0, rest = 0, ahead = 0;
  text.skip(' ');
  if (!text.number(2, 2, hour) || hour > 23 || !minutes_and_seconds(text, rest)) return {};
  text.skip(' ');
  if (!zone(text, ahead) || !text.at_end()) return {};
  return date + seconds(3600 * hour + rest - ahead);
}

std::optional<Timestamp> iso(Cursor& text, int y) {
  int m = 0, d = 1;
  const bool dashes = text.take('-');
  if ((!dashes && !text.take('/')) || !text.number(1, 2, m)) return {};
  if (dashes && text.at_end()) return day(y, m, 1);
  if (!text.take(dashes ? '-' : '/') || !text.number(1, 2, d)) return {};
  const auto date = day(y, m, d);
  if (!date || text.at_end()) return date;
  if (!text.take_any("Tt ")) return {};
  return iso_time(text, *date);
}

std::optional<Timestamp> us_time(Cursor& text, Timestamp date) {
  int hour = 0, rest = 0;
  text.skip(' ');
  if (!text.number(1, 2, hour) || !minutes_and_seconds(text, rest)) return {};
  text.skip(' ');
  if (text.at_end()) {
    if (hour > 23) return {};
    return date + seconds(3600 * hour + rest);
  }
  const bool afternoon = text.take_any("Pp");
  if ((!afternoon && !text.take_any("Aa")) || !text.take_any("Mm") || !text.at_end()) return {};
  if (hour < 1 || hour > 12) return {};
  return date + seconds(3600 * (hour % 12 + (afternoon ? 12 : 0)) + rest);
}

std::optional<Timestamp> us(Cursor& text, int m) {
  int d = 0, y = 0;
  if (!text.take('/') || !text.number(1, 2, d) || !text.take('/') || !text.number(4, 4, y)) {
    return {};
  }
  const auto date = day(y, m, d);
  if (!date || text.at_end()) return date;
  if (!text.take(' ')) return {};
  return us_time(text, *date);
}

}  // namespace

std::optional<Timestamp> parse_date(std::string_view text) noexcept {
  text = trim(text);
  if (text.size() < 6 || text[0] < '0' || text[0] > '9') return {};
  Cursor cursor(text);
  int first = 0;
  if (text[1] == '/' || text[2] == '/') {
    return cursor.number(1, 2, first) ? us(cursor, first) : std::nullopt;
  }
  return cursor.number(4, 4, first) ? iso(cursor, first) : std::nullopt;
}

std::string to_iso(Timestamp time) {
  if (time == no_date) return "";
  const sys_days midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  char text[64];
  int length =
      std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (time != midnight) {
    length += std::snprintf(text + length, sizeof(text) - static_cast<std::size_t>(length),
                            " %02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                            static_cast<int>(clock.minutes().count()),
                            static_cast<int>(clock.seconds().count()));
  }
  return {text, static_cast<std::size_t>(length)};
}

int day_of_week(Timestamp time) noexcept {
  return static_cast<int>(weekday(floor<days>(time)).iso_encoding());
}

}  // namespace unroll
