// Regions are said in terms of AddressRange: whoever imports Cordon has it.
@_exported public import FilterCompiler
