//! Looks at a replay beside its summary: a story, a trace, a stop.
//!
//! Owns the order of looks and their output. Refuses to know how a run is carried out.

use std::path::{Path, PathBuf};

use onsale_booking::Instant;
use onsale_reports::history::Form;
use onsale_reports::{Summary, human, json, terminal as page};
use onsale_sim::plan::Plan;
use onsale_sim::replicated::setup::setup;
use onsale_sim::run::{self, Look, Outcome};
use onsale_sim::seen::subject::Subject;
use onsale_sim::story::cast::Cast;
use onsale_sim::story::follow::Follow;
use onsale_sim::story::hazards::Hazards;
use onsale_sim::story::history::History;
use onsale_sim::story::recording::Recording;
use onsale_sim::story::telling::Story;
use onsale_sim::story::{Watch, page as story_page};

use super::Failure;
use crate::cli::ReplayArgs;
use crate::terminal::Terminal;

/// The looks at a run; by default only its summary.
#[derive(Debug, Default)]
pub(super) struct Looking {
    subjects: Vec<Subject>,
    cast: Option<Cast>,
    hazards: Hazards,
    window: (Instant, Instant),
    until: Option<Instant>,
    trace: Option<PathBuf>,
    recording: Option<Recording>,
    history_file: Option<PathBuf>,
    history: Option<History>,
}

impl Looking {
    /// The same looks, and a history in this file, if one is named.
    ///
    /// # Errors
    /// If the file's name says no form, or it cannot be begun.
    pub(super) fn with_history(self, file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(self) };
        let Some(form) = Form::of(file) else {
            return Err(Failure::Usage(format!(
                "--history {}: the name ends in .jsonl or .edn and says the form",
                file.display()
            )));
        };
        let history = History::create(file, form).map_err(|source| unwritten(file, source))?;
        Ok(Self { history_file: Some(file.to_owned()), history: Some(history), ..self })
    }

    /// Reads the looks from a command line.
    ///
    /// # Errors
    /// If the plan lacks the subject, or the trace cannot be begun.
    pub(super) fn new(arguments: &ReplayArgs, plan: &Plan) -> Result<Self, Failure> {
        let scenario = &plan.scenario;
        let window = (
            arguments.from.map_or(Instant::ZERO, |written| written.0),
            arguments.to.map_or(Instant::MAX, |written| written.0),
        );
        if window.0 >= window.1 {
            let (from, to) = window;
            return Err(Failure::Usage(format!("--from {from} is not before --to {to}")));
        }
        let looks = !arguments.follow.is_empty() || arguments.trace.is_some();
        if !looks && (arguments.from.is_some() || arguments.to.is_some()) {
            return Err(Failure::Usage(
                "--from and --to cut a story or a trace: add --follow or --trace, or stop the run with --until"
                    .to_owned(),
            ));
        }
        for subject in &arguments.follow {
            subject.check(scenario).map_err(|what| Failure::Usage(format!("--follow {what}")))?;
        }
        let subjects = arguments.follow.clone();
        let naming = run::naming(scenario);
        let cast = (!subjects.is_empty())
            .then(|| Cast::new(subjects.clone(), setup(scenario).placement, naming));
        let trace = arguments.trace.clone();
        let recording = trace.as_deref().map(|file| {
            Recording::create(file, window, scenario, naming)
                .map_err(|source| untraced(file, source))
        });
        let until = arguments.until.map(|written| written.0);
        let hazards = Hazards::of(scenario);
        Ok(Self {
            subjects,
            cast,
            hazards,
            window,
            until,
            trace,
            recording: recording.transpose()?,
            history_file: None,
            history: None,
        })
    }

    /// The looks at the run itself; `play` carries out the look before it, if one is needed.
    pub(super) fn look(&mut self, play: impl FnOnce(Look) -> Outcome) -> Look {
        let mut cast = self.cast.take();
        if let Some(unprepared) = cast.take_if(|cast| cast.needs_rehearsal()) {
            let watch = Some(Box::new(Watch::rehearsing(unprepared)));
            let rehearsed = play(Look { watch, ..self.unwatched() });
            cast = rehearsed.watch.and_then(|watch| watch.rehearsal);
        }
        let follow = cast.map(|cast| Follow::new(cast, self.hazards.clone(), self.window));
        let watch = Watch::of(follow, self.recording.take(), self.history.take());
        Look { watch, ..self.unwatched() }
    }

    /// The way to play the same run without looks.
    pub(super) fn unwatched(&self) -> Look {
        Look { until: self.until, ..Look::default() }
    }

    /// Closes the trace and the history, and returns the story, if one was asked for.
    ///
    /// # Errors
    /// If the trace or the history could not be written.
    pub(super) fn finish(
        &self,
        watch: Option<Box<Watch>>,
        end: Instant,
        terminal: Terminal,
    ) -> Result<Option<Story>, Failure> {
        let Watch { follow, recording, history, .. } = watch.map_or_else(Watch::default, |it| *it);
        let story = follow.map(|follow| follow.finish(end));
        if let Some(until) = self.until.filter(|&until| until > end) {
            terminal.note(&format!("the run ended at {end}, before --until {until}"));
        }
        if let (Some(file), Some(recording)) = (&self.trace, recording) {
            let written = recording.finish().map_err(|source| untraced(file, source))?;
            let (events, file) = (human::count(written.events), file.display());
            terminal.note(&format!(
                "a trace of {events} events in {file}: open it with https://ui.perfetto.dev"
            ));
            if written.refused > 0 {
                let refused = human::count(written.refused);
                terminal.warn(&format!(
                    "the trace is full, and {refused} more events are not in it: see less with --from and --to"
                ));
            }
        }
        if let (Some(file), Some(history)) = (&self.history_file, history) {
            let operations = history.finish().map_err(|source| unwritten(file, source))?;
            let (operations, file) = (human::count(operations), file.display());
            terminal.note(&format!("a history of {operations} operations in {file}"));
        }
        Ok(story)
    }

    /// The story and the summary as JSON, one object a line.
    pub(super) fn json(story: &Story, summary: &Summary) -> String {
        let summary: serde_json::Value =
            serde_json::from_str(&summary.to_json()).expect("a summary is JSON");
        let last = serde_json::json!({ "summary": summary });
        format!("{}{}", story_page::json_lines(story), json::line(&last))
    }

    /// The story with the verdicts as text.
    pub(super) fn page(
        &self,
        story: &Story,
        summary: &Summary,
        colour: bool,
        terminal: Terminal,
    ) -> String {
        let verdicts = page::render_verdicts(summary, colour, terminal.width());
        if story.lines.is_empty() {
            let names: Vec<String> = self.subjects.iter().map(ToString::to_string).collect();
            return format!("nothing happened to {}\n\n{verdicts}", names.join(" or "));
        }
        format!("{}\n{verdicts}", story_page::render(story, colour, terminal.line_width()))
    }
}

fn unwritten(file: &Path, source: std::io::Error) -> Failure {
    Failure::History { file: file.display().to_string(), source }
}

fn untraced(file: &Path, source: std::io::Error) -> Failure {
    Failure::Trace { file: file.display().to_string(), source }
}
