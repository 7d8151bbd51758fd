//! Reading scenarios: TOML that people write, JSON inside plans and capsules.
//!
//! Owns the way from a text to a valid scenario. Refuses to know any setting, and what makes a scenario valid.

mod advice;

use std::io;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use toml::{Table, Value};

use self::advice::{explain_json, explain_toml};
use crate::form::ScenarioFile;
use crate::locate::Place;
use crate::problem::{Complaint, Complaints, ScenarioError, Source};
use crate::scenario::Scenario;
use crate::setting::{Readable, Value as _};
use crate::settings::{Arrivals, Crowd, USERS_MAX};
use crate::{assumptions, check, reading, trace};

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ScenarioFile::from(self.clone()).write(serializer)
    }
}

impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scenario = Self::from(ScenarioFile::read(deserializer)?);
        let complaints = check::complaints(&scenario);
        if complaints.is_empty() {
            Ok(scenario)
        } else {
            Err(de::Error::custom(Complaints(complaints)))
        }
    }
}

impl Scenario {
    /// Reads a scenario from TOML.
    ///
    /// `file` names the text in errors; `read` loads a file that the scenario names, by
    /// its path relative to the scenario's.
    ///
    /// # Errors
    ///
    /// With file, line, column, field and advice: the first problem if the text is not TOML or a value has the
    /// wrong type, else everything that makes the scenario invalid.
    pub fn from_toml(
        id: &str,
        file: &str,
        bytes: &[u8],
        read: &dyn Fn(&str) -> io::Result<Vec<u8>>,
    ) -> Result<Self, ScenarioError> {
        let source = Source::from_bytes(file, bytes)?;
        let parsed = toml::from_str::<Readable<ScenarioFile>>(source.text());
        let Readable(mut parsed) = parsed.map_err(|error| explain_toml(&source, &error))?;
        let places = || Place::of_toml(source.text());

        let only_in_json = [
            (parsed.id.is_some(), "id", "a file has no id of its own", "the path is the id"),
            (
                !parsed.written.is_empty(),
                "written",
                "a file says by itself what it writes",
                "it is for plans",
            ),
        ];
        if let Some((_, key, what, why)) = only_in_json.into_iter().find(|&(is_there, ..)| is_there)
        {
            let complaint = Complaint::new(key, what, format!("remove the key: {why}"));
            return Err(located(&source, places().as_ref(), vec![complaint]));
        }
        if let Arrivals::Trace { file, points, .. } = &mut parsed.crowd.arrivals
            && points.is_empty()
        {
            let field = "crowd.arrivals.trace.file";
            let loaded = read(file).map_err(|error| {
                let what = format!("{file:?} can't be read: {error}");
                let complaint =
                    Complaint::new(field, what, "the path is relative to the scenario's file");
                located(&source, places().as_ref(), vec![complaint])
            })?;
            // The content of a foreign file is not printed.
            *points = trace::parse(file, &loaded).map_err(|error| {
                if reading::is_below(file) { error } else { error.without_text() }
            })?;
        }

        // A number that fits only an unsigned word is read as a seed, but is no number of TOML.
        let written: Table =
            toml::from_str(source.text()).map_err(|error| explain_toml(&source, &error))?;
        if let Err(complaint) = settle_users(&mut parsed.crowd, &written) {
            return Err(located(&source, places().as_ref(), vec![complaint]));
        }
        parsed.written = assumptions::written(&written);
        let scenario = Self { id: id.to_owned(), ..parsed.into() };
        match check::complaints(&scenario) {
            complaints if complaints.is_empty() => Ok(scenario),
            complaints => Err(located(&source, places().as_ref(), complaints)),
        }
    }

    /// Reads a scenario from JSON, as [`Scenario::to_json`] writes it.
    ///
    /// The same keys and units as in TOML, with the id; a trace carries its points.
    /// `Deserialize` makes the same checks, but knows less about the position of a problem.
    ///
    /// # Errors
    ///
    /// As for TOML.
    pub fn from_json(file: &str, bytes: &[u8]) -> Result<Self, ScenarioError> {
        let source = Source::from_bytes(file, bytes)?;
        let parsed = serde_json::from_str::<Readable<ScenarioFile>>(source.text());
        let scenario = parsed.map_err(|error| explain_json(&source, &error))?.0.into();
        match check::complaints(&scenario) {
            complaints if complaints.is_empty() => Ok(scenario),
            complaints => Err(located(&source, Place::of_json(source.text()).as_ref(), complaints)),
        }
    }
}

/// Sets the number of people to the trace's count, unless the file scales it or gives a number.
fn settle_users(crowd: &mut Crowd, written: &Table) -> Result<(), Complaint> {
    let Arrivals::Trace { points, scale, .. } = &mut crowd.arrivals else { return Ok(()) };
    let says_users = written
        .get("crowd")
        .and_then(Value::as_table)
        .is_some_and(|crowd| crowd.contains_key("users"));
    let scale = scale.take();
    if says_users {
        let both = || {
            let what = "`users` and `scale` both say how many of the trace's people come";
            Complaint::new("crowd.arrivals.trace.scale", what, "keep one of the two")
        };
        return if scale.is_some() { Err(both()) } else { Ok(()) };
    }
    let counted = points.iter().fold(0_u64, |sum, &(_, people)| sum.saturating_add(people));
    let come = scale.map_or(counted, |scale| scale.of(counted));
    let users = u32::try_from(come).ok().filter(|&users| (1..=USERS_MAX).contains(&users));
    crowd.users = users.ok_or_else(|| {
        let what = format!("{come} people come of the {counted} that the trace counts");
        let help = format!(
            "1 to {} may come: write `scale = \"10%\"` beside `file`, or `users` under `[crowd]`",
            USERS_MAX
        );
        Complaint::new("crowd.arrivals.trace.file", what, help)
    })?;
    Ok(())
}

fn located(source: &Source, places: Option<&Place>, complaints: Vec<Complaint>) -> ScenarioError {
    let place = |complaint: Complaint| {
        let Some(places) = places else { return (0..0, complaint) };
        let (span, name) = places.point_at(&complaint.field, &complaint.others);
        let field = name.to_owned();
        (span, Complaint { field, ..complaint })
    };
    ScenarioError::new(source, complaints.into_iter().map(place))
}

#[cfg(test)]
mod tests;
