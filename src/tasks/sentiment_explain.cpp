#include <algorithm>
#include <cmath>

#include "src/text/prose.h"
#include "unroll/error.h"
#include "unroll/sentiment.h"

namespace unroll {

namespace {

double log_odds(double probability) {
  constexpr double least = 1e-7;
  const double inside = std::clamp(probability, least, 1 - least);
  return std::log(inside / (1 - inside));
}

bool is_word(std::string_view piece) {
  return piece.find_first_of(" \t\r\n") == std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// "+0.42", "-1.30".
std::string signed_text(double value) {
  std::string text = std::to_string(std::round(value * 100) / 100);
  text.erase(text.find('.') + 3);
  return value < 0 ? text : "+" + text;
}

/// A word on a ground that is the deeper, the more it says: blue for positive, red for negative.
std::string coloured(const SentimentPart& part, double largest) {
  if (part.contribution == 0) return escaped(part.text);
  const double share = std::min(std::abs(part.contribution) / largest, 1.0);
  const std::string alpha = std::to_string(std::round(share * 80) / 100).substr(0, 4);
  const std::string colour = part.contribution > 0 ? "33,102,172" : "178,24,43";
  return "<span title=\"" + signed_text(part.contribution) + "\" style=\"background:rgba(" +
         colour + "," + alpha + ")\">" + escaped(part.text) + "</span>";
}

}  // namespace

Explanation explain(SentimentModel& model, std::string_view text) {
  Explanation result;
  std::vector<std::string> texts{std::string(text)};
  result.probability = model.predict(texts)[0];
  std::vector<std::size_t> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view piece = text::piece_at(text, at);
    if (is_word(piece)) {
      words.push_back(result.parts.size());
      std::string without(text);
      texts.push_back(without.erase(at, piece.size()));
      // A text of one word would be none without it; a blank line says as little.
      if (texts.back().find_first_not_of(" \t\r\n") == std::string::npos) texts.back() = ".";
    }
    result.parts.push_back({.text = std::string(piece)});
    at += piece.size();
  }
  texts.erase(texts.begin());
  const std::vector<double> without = model.predict(texts);
  for (std::size_t i = 0; i < words.size(); ++i) {
    result.parts[words[i]].contribution = log_odds(result.probability) - log_odds(without[i]);
  }
  return result;
}

std::string to_html(const Explanation& explanation,
                    const std::vector<std::pair<std::string, std::string>>& pictures) {
  double largest = 1e-9;
  for (const SentimentPart& part : explanation.parts) {
    largest = std::max(largest, std::abs(part.contribution));
  }
  const bool positive = explanation.probability >= 0.5;
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<title>Sentiment</title>\n<style>\nbody{font-family:sans-serif;max-width:60em;margin:2em "
      "auto;line-height:1.6}\n.review{white-space:pre-wrap}\nsvg{max-width:100%;height:auto}\n"
      "</style>\n</head>\n<body>\n";
  page += std::string("<h1>") + (positive ? "positive" : "negative") + ", probability " +
          signed_text(positive ? explanation.probability : 1 - explanation.probability).substr(1) +
          "</h1>\n<p class=\"review\">";
  for (const SentimentPart& part : explanation.parts) page += coloured(part, largest);
  page +=
      "</p>\n<p>Blue words speak for a positive review, red ones against it; the number under the "
      "pointer is by how much the log odds would change without the word (occlusion).</p>\n";
  for (const auto& [title, svg] : pictures) {
    // Only the drawing: a document within a document has no declaration of its own.
    const std::size_t start = svg.find("<svg");
    page += "<h2>" + escaped(title) + "</h2>\n" +
            (start == std::string::npos ? "" : svg.substr(start)) + "\n";
  }
  return page + "</body>\n</html>\n";
}

}  // namespace unroll
