//! How much to reason, in the words of the publisher.

use interlingua_model::{Effort, Json, Warning};

use super::dialect::{Dialect, ReasoningField};
use super::node::Node;
use super::request::Writer;

/// The least budget that Claude takes.
const LEAST_BUDGET: u32 = 1024;

impl Writer<'_> {
    pub(super) fn reasoning(&mut self) {
        match self.dialect.reasoning {
            ReasoningField::Adaptive => return self.adaptive(),
            ReasoningField::Budget => return self.by_budget(),
            _ => {}
        }
        let request = self.request;
        for (setting, asked) in [
            ("reasoning_budget", request.reasoning_budget.is_some()),
            ("show_reasoning", request.show_reasoning.is_some()),
        ] {
            if asked {
                self.warn(Warning::ignored(setting, "this model does not take it"));
            }
        }
        if let Some(level) = self.level() {
            self.say(level);
        }
    }

    fn say(&mut self, level: Effort) {
        let word = level.as_str();
        match self.dialect.reasoning {
            ReasoningField::ReasoningConfig if level == Effort::None => {
                self.model.put("reasoningConfig", Node::default().text("type", "disabled").json());
            }
            ReasoningField::ReasoningConfig => {
                let config = Node::default().text("type", "enabled").text("maxReasoningEffort", word);
                self.model.put("reasoningConfig", config.json());
            }
            ReasoningField::ReasoningEffort => self.model.put("reasoning_effort", Json::string(word)),
            ReasoningField::ReasoningObject => {
                self.model.put("reasoning", Node::default().text("effort", word).json());
            }
            _ => self.output.put("effort", Json::string(word)),
        }
    }

    /// The level that is asked for, or the nearest one that is known.
    fn level(&mut self) -> Option<Effort> {
        let asked = self.request.effort?;
        let Dialect { efforts, reasoning, reasoning_off, .. } = self.dialect;
        if *reasoning == ReasoningField::None {
            self.warn(Warning::ignored("effort", "how much this model reasons cannot be set"));
            return None;
        }
        let is_switch = *reasoning == ReasoningField::ReasoningConfig && *reasoning_off;
        if asked == Effort::None && (is_switch || efforts.contains(&asked)) {
            return Some(asked);
        }
        if asked == Effort::None {
            self.warn(Warning::ignored("effort", "the reasoning of this model cannot be turned off"));
            return None;
        }
        let nearest = nearest(asked, efforts);
        match nearest {
            Some(nearest) if nearest != asked => {
                let detail = format!("{asked} is not known here, {nearest} is asked for");
                self.warn(Warning::adjusted("effort", detail));
            }
            None => self.warn(Warning::ignored("effort", "this model takes no levels")),
            Some(_) => {}
        }
        nearest
    }

    /// Claude that decides itself, within a level or up to a budget.
    fn adaptive(&mut self) {
        let request = self.request;
        if request.effort == Some(Effort::None) {
            return self.off();
        }
        if let Some(level) = self.level() {
            self.model.put("output_config", Node::default().text("effort", level.as_str()).json());
        }
        let thinking = match request.reasoning_budget {
            Some(budget) => self.enabled(budget),
            None if request.effort.is_some() || request.show_reasoning.is_some() => {
                Node::default().text("type", "adaptive")
            }
            None => return,
        };
        let display = request.show_reasoning.map(|show| if show { "summarized" } else { "omitted" });
        self.model.put("thinking", thinking.maybe("display", display).json());
    }

    /// Claude that takes a number of tokens.
    fn by_budget(&mut self) {
        let request = self.request;
        if request.show_reasoning.is_some() {
            self.warn(Warning::ignored("show_reasoning", "this model does not take it"));
        }
        if request.effort == Some(Effort::None) {
            return self.off();
        }
        let budget = match (request.reasoning_budget, request.effort) {
            (Some(budget), _) => budget,
            (None, Some(effort)) => {
                let budget = budget_of(effort);
                let detail =
                    format!("this model takes no levels; {effort} becomes a budget of {budget} tokens");
                self.warn(Warning::adjusted("effort", detail));
                budget
            }
            (None, None) => return,
        };
        let thinking = self.enabled(budget);
        self.model.put("thinking", thinking.json());
    }

    fn enabled(&mut self, asked: u32) -> Node {
        let most = self.request.max_output.unwrap_or(u32::MAX).saturating_sub(1);
        let budget = asked.min(most).max(LEAST_BUDGET);
        if budget != asked {
            let detail =
                format!("a budget is 1024 tokens or more and less than the answer; {budget} is asked for");
            self.warn(Warning::adjusted("reasoning_budget", detail));
        }
        Node::default().text("type", "enabled").number("budget_tokens", budget.into())
    }

    fn off(&mut self) {
        if self.dialect.reasoning_off {
            self.model.put("thinking", Node::default().text("type", "disabled").json());
        } else {
            self.warn(Warning::ignored("effort", "the reasoning of this model cannot be turned off"));
        }
    }
}

fn nearest(asked: Effort, known: &[Effort]) -> Option<Effort> {
    let real = known.iter().filter(|effort| **effort != Effort::None);
    real.min_by_key(|effort| (**effort as i8 - asked as i8).unsigned_abs()).copied()
}

/// What other clients take a level for where a model takes a number of tokens.
const fn budget_of(effort: Effort) -> u32 {
    match effort {
        Effort::Low => 4096,
        Effort::Medium => 8192,
        Effort::High => 16_384,
        Effort::XHigh | Effort::Max => 32_768,
        _ => LEAST_BUDGET,
    }
}
