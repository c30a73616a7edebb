//! What the official MCP conformance suite asks a server for, as one plugin.
//!
//! The suite finds its fixtures by name and looks at what they do on the wire; the names, keys and texts here are the
//! ones that it fixes. Everything around them (versions, headers, sessions, streams, sealed state, tasks) is the
//! host's, so that a scenario that passes says something about the host and about what a sandboxed plugin can do.
//!
//! Each module's comment says which scenarios it serves, and why a fixture is as it is where that is not plain.

mod asking;
mod content;
mod prompts;
mod resources;
mod rounds;
mod schemas;
mod skills;
mod tasks;
mod telling;

fleetgate_sdk::export! {
    tools:
        content::test_simple_text,
        content::test_image_content,
        content::test_audio_content,
        content::test_embedded_resource,
        content::test_multiple_content_types,
        content::test_error_handling,
        telling::test_tool_with_logging,
        telling::test_logging_tool,
        telling::test_tool_with_progress,
        telling::test_reconnection,
        telling::test_trigger_tool_change,
        telling::test_trigger_prompt_change,
        schemas::json_schema_2020_12_tool,
        schemas::test_custom_header,
        asking::test_sampling,
        asking::test_elicitation,
        asking::test_elicitation_sep1034_defaults,
        asking::test_elicitation_sep1330_enums,
        asking::test_missing_capability,
        asking::test_streaming_elicitation,
        rounds::test_input_required_result_elicitation,
        rounds::test_input_required_result_sampling,
        rounds::test_input_required_result_list_roots,
        rounds::test_input_required_result_request_state,
        rounds::test_input_required_result_tampered_state,
        rounds::test_input_required_result_multiple_inputs,
        rounds::test_input_required_result_multi_round,
        rounds::test_input_required_result_capabilities,
        tasks::greet,
        tasks::slow_compute,
        tasks::failing_job,
        tasks::protocol_error_job,
        tasks::confirm_delete,
        tasks::multi_input,
        tasks::test_tool_with_task;
    resources:
        resources::static_text,
        resources::static_binary,
        resources::watched_resource,
        resources::template_data;
    prompts:
        prompts::test_simple_prompt,
        prompts::test_prompt_with_arguments,
        prompts::test_prompt_with_embedded_resource,
        prompts::test_prompt_with_image,
        prompts::test_input_required_result_prompt;
    completions:
        prompts::first_arguments;
    skills:
        skills::ReadFixtures;
}
