import PackagePlugin

/// Has the agent built and its image made a source of the target that asks for it.
@main
struct EmbedAgentPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let agent = try context.tool(named: "cordon-agent").url
    let source = context.pluginWorkDirectoryURL.appending(path: "EmbeddedAgent.swift")
    return [
      .buildCommand(
        displayName: "Embedding the agent", executable: try context.tool(named: "embed-agent").url,
        arguments: [agent.path(percentEncoded: false), source.path(percentEncoded: false)], inputFiles: [agent],
        outputFiles: [source])
    ]
  }
}
